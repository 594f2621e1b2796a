"""Acknowledge: a human says that they are on it, so that nobody else is paged."""

from dataclasses import dataclass

from incident_squad.domain.delivery import Message
from incident_squad.domain.timeline import Actor, Entry
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
        if not known:
            entry = Entry(event=ACKNOWLEDGED, summary=f"{by.name} is on it", actor=by)
            self.timeline.append(incident_id, entry)
        alerts = self.incidents.alerts(incident_id)
        self.notifier.send(
            Message(
                id=f"{incident_id}:acknowledged:{last_page(events)}",
                incident_id=incident_id,
                kind="acknowledged",
                recipients=(),
                subject=f"{incident_id}: {by.name} is on it"[:200],
                body=f"{by.name} is on it",
                details=details_of(incident, alerts[0] if alerts else None),
            )
        )
        return not known
