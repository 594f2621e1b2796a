"""Acknowledge: a human says that they are on it, so that nobody else is paged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from incident_squad.domain.delivery import Message
from incident_squad.domain.timeline import Actor, Entry, TimelineEvent
from incident_squad.policy.escalation import ACKNOWLEDGED, last_page, on_it
from incident_squad.ports import IncidentStore, Notifier, Timeline
from incident_squad.steps.message_facts import details_of


@dataclass(frozen=True)
class Acknowledge:
    """Safe to repeat; said to the pager too, so that it stops."""

    incidents: IncidentStore
    timeline: Timeline
    notifier: Notifier

    def __call__(self, incident_id: str, by: Actor) -> bool:
        """Note it; False when somebody was on it already. Raises UnknownIncident."""
        incident = self.incidents.get(incident_id)
        events = self.timeline.read(incident_id)
        known = on_it(events)
        if not incident.status.open:
            return False
        message = f"{incident_id}:acknowledged:{last_page(events)}"
        if not known:
            entry = Entry(
                event=ACKNOWLEDGED,
                summary=f"{by.name} is on it",
                actor=by,
                data={"message": message},
            )
            self.timeline.append(incident_id, entry)
        alerts = self.incidents.alerts(incident_id, 1)
        details = details_of(incident, alerts[0] if alerts else None)
        self.notifier.send(on_it_message(incident_id, message, by.name, details))
        return not known


def said_here(events: Sequence[TimelineEvent]) -> TimelineEvent | None:
    """The newest acknowledgement that was given to us, and not told by PagerDuty."""
    told = (e for e in reversed(events) if e.event == ACKNOWLEDGED and "message" in e.data)
    return next(told, None)


def on_it_message(incident_id: str, message: str, name: str, details: Mapping[str, str]) -> Message:
    """What stops the pager; the same message however often it is made."""
    return Message(
        id=message,
        incident_id=incident_id,
        kind="acknowledged",
        recipients=(),
        subject=f"{incident_id}: {name} is on it"[:200],
        body=f"{name} is on it",
        details=dict(details),
    )
