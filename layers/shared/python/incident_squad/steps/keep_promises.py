"""KeepPromises: promised updates go out in time, and pages that nobody answers go further."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from incident_squad.contracts import Contract
from incident_squad.domain.errors import SquadError
from incident_squad.domain.incident import Incident
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.update import StatusUpdate, UpdateKind
from incident_squad.domain.values import iso
from incident_squad.policy.escalation import ESCALATED, Escalation, escalation, standing
from incident_squad.policy.notification import CHANNEL, pager_card
from incident_squad.ports import (
    Clock,
    IncidentQuery,
    IncidentStore,
    Knowledge,
    Message,
    Notifier,
    Timeline,
)
from incident_squad.steps.message_facts import details_of
from incident_squad.steps.publish_update import PublishUpdate, latest

LEAD = timedelta(seconds=150)
"""How early a promised update is written: the schedule looks once a minute, and may miss two."""

AGAIN = timedelta(minutes=3)
"""How long what was just noted is sent again, in case a crash came between: it is one message."""

PROMISE_BROKEN = "PromiseBroken"


class Kept(Contract):
    """Incidents with a new update, a broken promise, one more page, or trouble with any of it."""

    updated: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    escalated: tuple[str, ...] = ()
    troubled: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeepPromises:
    """Looks at every open incident, whoever works on it. Trouble with one stops no other."""

    incidents: IncidentStore
    timeline: Timeline
    notifier: Notifier
    knowledge: Knowledge
    clock: Clock
    publish: PublishUpdate
    view_link: Callable[[str], str]

    def __call__(self, _: dict[str, Any]) -> Kept:
        """One look; safe to repeat at any point."""
        kept: dict[str, list[str]] = {name: [] for name in Kept.model_fields}
        for incident in self._open():
            try:
                for name in self._look(incident):
                    kept[name].append(incident.id)
            except SquadError:
                kept["troubled"].append(incident.id)
        return Kept.model_validate({name: tuple(ids) for name, ids in kept.items()})

    def _open(self) -> Iterator[Incident]:
        after = None
        while True:
            page = self.incidents.list(IncidentQuery(open_only=True, limit=100, after=after))
            yield from page.incidents
            after = page.next
            if after is None:
                return

    def _look(self, listed: Incident) -> Iterator[str]:
        incident = self.incidents.get(listed.id)  # the list is a moment old
        if not incident.status.open:
            return
        if self._escalate(incident):
            yield "escalated"
        last, now = latest(self.incidents.updates(incident.id)), self.clock.now()
        if last is None or last.next_due_at is None:
            return
        if now > last.next_due_at and self._break(incident, last):
            yield "broken"
        if now >= last.next_due_at - LEAD:
            self.publish.progress(incident.id, last)
            yield "updated"
        elif last.kind is UpdateKind.PROGRESS and now - last.at < AGAIN:
            self.publish.repeat(incident.id, last)

    def _break(self, incident: Incident, last: StatusUpdate) -> bool:
        """Own up to a promise that was not kept, once."""
        due = iso(last.next_due_at) if last.next_due_at else ""
        events = self.timeline.read(incident.id)
        said = f"The update that was promised by {due[11:16]} UTC is late"
        known = any(e.event == PROMISE_BROKEN and e.data.get("due") == due for e in events)
        if not known:
            self.timeline.append(
                incident.id,
                Entry(
                    event=PROMISE_BROKEN,
                    summary=said,
                    actor=Actor.agent("communicator"),
                    data={"due": due},
                ),
            )
        self.notifier.send(
            Message(
                id=f"{incident.id}:promise:{due}",
                incident_id=incident.id,
                kind="promise",
                recipients=(CHANNEL,),
                subject=f"{incident.id}: a promised update is late",
                body=said,
                link=self.view_link(incident.id),
                details=details_of(incident, None),
            )
        )
        return not known

    def _escalate(self, incident: Incident) -> bool:
        triage = incident.triage
        if triage is None:
            return False
        severity = incident.severity or triage.severity
        judged = triage.model_copy(update={"severity": severity})
        events = self.timeline.read(incident.id)
        now = self.clock.now()
        said = standing(events, judged, self.knowledge.catalog)
        if said is not None and now - events[-1].at < AGAIN:
            self.notifier.send(self._page(incident, said))
        due = escalation(events, judged, self.knowledge.catalog, now)
        if due is None:
            return False
        self.timeline.append(
            incident.id,
            Entry(
                event=ESCALATED,
                summary=f"Nobody has acknowledged: paged {', '.join(due.recipients)}",
                actor=Actor.agent("communicator"),
                data={"level": due.level, "recipients": list(due.recipients)},
            ),
        )
        self.notifier.send(self._page(incident, due))
        return True

    def _page(self, incident: Incident, due: Escalation) -> Message:
        alerts = self.incidents.alerts(incident.id)
        alert = alerts[0] if alerts else None
        severity = incident.severity.value if incident.severity else "untriaged"
        title = " ".join(incident.title.split())
        card = ""
        if incident.triage is not None:
            card = pager_card(incident, alert, incident.triage, self.clock.now())
        return Message(
            id=f"{incident.id}:escalation:{iso(due.since)}:{due.level}",
            incident_id=incident.id,
            kind="escalation",
            recipients=due.recipients,
            subject=f"[{severity}] Nobody has acknowledged: {title}"[:200],
            body=card,
            urgent=True,
            link=self.view_link(incident.id),
            details=details_of(incident, alert),
        )
