"""KeepPromises: promised updates go out in time, and pages that nobody answers go further."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from incident_squad.contracts import Contract
from incident_squad.domain.alert import Alert
from incident_squad.domain.catalog import Language
from incident_squad.domain.errors import SquadError
from incident_squad.domain.incident import Incident
from incident_squad.domain.timeline import Actor, Entry, TimelineEvent
from incident_squad.domain.update import PROMISE_BROKEN, StatusUpdate
from incident_squad.domain.values import iso
from incident_squad.policy.clearance import is_public, must_wait
from incident_squad.policy.escalation import ESCALATED, Escalation, escalation, standing
from incident_squad.policy.notification import CHANNEL, pager_card
from incident_squad.policy.phrases import phrase
from incident_squad.ports import (
    Clock,
    IncidentQuery,
    IncidentStore,
    Knowledge,
    Message,
    Notifier,
    Timeline,
)
from incident_squad.steps.acknowledge import on_it_message, said_here
from incident_squad.steps.message_facts import calls, details_of
from incident_squad.steps.public_texts import PublicTexts
from incident_squad.steps.publish_update import PublishUpdate, latest

LEAD = timedelta(seconds=150)
"""How early a promised update is written: the schedule looks once a minute, and may miss two."""

LEAD_FOR_APPROVAL = timedelta(minutes=5)
"""The same for a text that a human must approve first: they need a while to read it."""

KEPT_IN_VIEW = timedelta(days=30)
"""How long public texts of incidents are looked at that were resolved before somebody decided."""


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
    view_link: Callable[..., str]
    texts: PublicTexts

    def __call__(self, _: dict[str, Any]) -> Kept:
        """One look; safe to repeat at any point."""
        kept: dict[str, list[str]] = {name: [] for name in Kept.model_fields}
        for incident in self._open():
            try:
                for name in self._look(incident):
                    kept[name].append(incident.id)
            except SquadError:
                kept["troubled"].append(incident.id)
        for incident_id in self._undecided():
            try:
                self.texts.settle(incident_id)
            except SquadError:
                kept["troubled"].append(incident_id)
        return Kept.model_validate({name: tuple(ids) for name, ids in kept.items()})

    def _open(self) -> Iterator[Incident]:
        after = None
        while True:
            page = self.incidents.list(IncidentQuery(open_only=True, limit=100, after=after))
            yield from page.incidents
            after = page.next
            if after is None:
                return

    def _undecided(self) -> Iterator[str]:
        """Incidents of the severities whose public texts wait for a human, closed ones too."""
        first = (self.clock.now() - KEPT_IN_VIEW).strftime("%Y%m%d")
        for severity in self.knowledge.catalog.policies.approve_public_texts:
            query = IncidentQuery(severity=severity, first=first, limit=100)
            yield from (incident.id for incident in self.incidents.list(query).incidents)

    def _look(self, listed: Incident) -> Iterator[str]:
        incident = self.incidents.get(listed.id)  # the list is a moment old
        if not incident.status.open:
            return
        events = self.timeline.read(incident.id)
        self._send_again(incident, events)
        if self._escalate(incident, events):
            yield "escalated"
        self.publish.catch_up(incident.id)
        updates, now = self.incidents.updates(incident.id), self.clock.now()
        promise = self._promise(incident, updates)
        if promise and now > promise and self._break(incident, promise, events):
            yield "broken"
        last = latest(updates)
        if last is None or last.next_due_at is None:
            return
        lead = LEAD_FOR_APPROVAL if must_wait(incident, self.knowledge.catalog) else LEAD
        if now >= last.next_due_at - lead and self.publish.progress(incident.id, last):
            yield "updated"

    def _promise(self, incident: Incident, updates: Sequence[StatusUpdate]) -> datetime | None:
        """What customers were promised last: texts that they cannot read promise nothing."""
        requests = self.texts.requests.of_incident(incident.id) if self._held(updates) else ()
        shown = (u for u in reversed(updates) if is_public(incident.id, u, requests))
        last = next(shown, None)
        return last.next_due_at if last else None

    def _held(self, updates: Sequence[StatusUpdate]) -> bool:
        return any(update.approval_id for update in updates)

    def _send_again(self, incident: Incident, events: Sequence[TimelineEvent]) -> None:
        """What the timeline says was sent, in case a crash came between: it stays one message."""
        triage = incident.triage
        page = standing(events, triage, self.knowledge.catalog) if triage else None
        if page is not None:
            self._wake(incident, page)
        answered = said_here(events)
        if answered is not None:
            name, details = answered.actor.name, details_of(incident, self._alert(incident))
            message = str(answered.data["message"])
            self.notifier.send(on_it_message(incident.id, message, name, details))
        broken = next((e for e in reversed(events) if e.event == PROMISE_BROKEN), None)
        if broken is not None:
            self.notifier.send(self._late(incident, str(broken.data["due"])))

    def _break(
        self, incident: Incident, promise: datetime, events: Sequence[TimelineEvent]
    ) -> bool:
        """Own up to a promise that was not kept, once."""
        due = iso(promise)
        if any(e.event == PROMISE_BROKEN and e.data.get("due") == due for e in events):
            return False
        self.timeline.append(
            incident.id,
            Entry(
                event=PROMISE_BROKEN,
                summary=phrase("late_since", "en", due=due[11:16]),
                actor=Actor.agent("communicator"),
                data={"due": due},
            ),
        )
        self.notifier.send(self._late(incident, due))
        return True

    def _late(self, incident: Incident, due: str) -> Message:
        return Message(
            id=f"{incident.id}:promise:{due}",
            incident_id=incident.id,
            kind="promise",
            recipients=(CHANNEL,),
            subject=phrase("late", self._language, incident=incident.id),
            body=phrase("late_since", self._language, due=due[11:16]),
            link=self.view_link(incident.id),
            details=details_of(incident, None),
        )

    def _alert(self, incident: Incident) -> Alert | None:
        alerts = self.incidents.alerts(incident.id, 1)
        return alerts[0] if alerts else None

    @property
    def _language(self) -> Language:
        return self.knowledge.catalog.policies.language_of("colleagues")

    def _escalate(self, incident: Incident, events: Sequence[TimelineEvent]) -> bool:
        triage = incident.triage
        if triage is None:
            return False
        severity = incident.severity or triage.severity
        judged = triage.model_copy(update={"severity": severity})
        due = escalation(events, judged, self.knowledge.catalog, self.clock.now())
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
        self._wake(incident, due)
        return True

    def _wake(self, incident: Incident, due: Escalation) -> None:
        page = self._page(incident, due)
        self.notifier.send(page)
        for call in calls(page, self.view_link):
            self.notifier.send(call)

    def _page(self, incident: Incident, due: Escalation) -> Message:
        alert = self._alert(incident)
        severity = incident.severity.value if incident.severity else "untriaged"
        title = " ".join(incident.title.split())
        card = ""
        if incident.triage is not None:
            now = self.clock.now()
            card = pager_card(incident, alert, incident.triage, now, self._language)
        return Message(
            id=f"{incident.id}:escalation:{iso(due.since)}:{due.level}",
            incident_id=incident.id,
            kind="escalation",
            recipients=due.recipients,
            subject=phrase("nobody", self._language, severity=severity, title=title)[:200],
            body=card,
            urgent=True,
            link=self.view_link(incident.id),
            details=details_of(incident, alert),
        )
