"""ReceiveAlert: every alert ends somewhere, and one storm is one incident."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from incident_squad.domain.alert import Alert, AlertStatus
from incident_squad.domain.errors import TransientFailure
from incident_squad.domain.incident import Incident, IncidentStatus
from incident_squad.domain.incident_id import new_incident_id
from incident_squad.domain.outcome import Outcome, OutcomeKind
from incident_squad.domain.triage import Triage
from incident_squad.ports import Clock, IncidentStore, Knowledge, Timeline, Workflow
from incident_squad.steps.alert_record import (
    FAILING,
    alert_entry,
    ended,
    heard,
    note_key,
    outlived,
    overtaken,
    raised_entry,
)
from incident_squad.steps.correlation import Correlation

CLAIM = timedelta(days=7)
"""How long an incident holds a key that is not sent again."""

_ATTEMPTS = 60
_TOUCH = timedelta(minutes=1)
_SETTLED = timedelta(seconds=10)
_ARRIVALS = {
    False: ("AlertAttached", "Alert attached"),
    True: ("AlertFiredAgain", "Fired again"),
}


@dataclass(frozen=True)
class ReceiveAlert:
    """Open an incident for an alert, or put it with the one that it belongs to."""

    incidents: IncidentStore
    timeline: Timeline
    workflow: Workflow
    knowledge: Knowledge
    clock: Clock
    triager: Callable[[Alert], Triage]

    def __call__(self, alerts: Sequence[Alert]) -> list[Outcome]:
        """What became of each alert, in their order.

        Those that fire go first, so that a group which heals one fault and brings another never
        looks healed in between. Raises TransientFailure or AuditFailure: the sender tries again.
        """
        firing_first = sorted(range(len(alerts)), key=lambda n: alerts[n].status not in FAILING)
        outcomes = {n: self._receive(alerts[n]) for n in firing_first}
        return [outcomes[n] for n in range(len(alerts))]

    @property
    def _correlation(self) -> Correlation:
        return Correlation(self.incidents, self.knowledge, self.clock)

    def _receive(self, alert: Alert) -> Outcome:
        if alert.status is AlertStatus.RESOLVED:
            return self._resolve(alert)
        if alert.status is AlertStatus.INFORMATION:
            return self._note(alert)
        return self._fire(alert)

    def _fire(self, alert: Alert) -> Outcome:
        holder = self.incidents.holder_of(alert.key)
        incident = self._correlation.taking(holder)
        if incident is not None:
            return self._join(incident, alert, None)
        if holder is not None:
            self.incidents.release(alert.key, holder)
        return self._open(alert, self.triager(alert))

    def _open(self, alert: Alert, triage: Triage) -> Outcome:
        """Join the incident that is there by now, or open one that nobody else opens."""
        correlation = self._correlation
        scope = correlation.scope(alert, triage)
        related = correlation.related(alert, triage)
        if related is None:
            with correlation.alone(scope):
                related = correlation.related(alert, triage)
                opened = None if related else self._opened(alert, triage, scope)
            if opened is not None:
                self._begin(opened, alert)
                return ended(OutcomeKind.OPENED, opened, "a new incident")
        return self._join(related, alert, triage) if related else self._fire(alert)

    def _opened(self, alert: Alert, triage: Triage, scope: str) -> Incident | None:
        """The new incident, or None when the alert's key is another incident's by now."""
        for attempt in range(_ATTEMPTS):
            incident = self._new(alert, triage, attempt)
            self._correlation.take(scope, incident, CLAIM)
            try:
                holder = self.incidents.open(incident, alert, self._until())
            except TransientFailure:
                continue
            return incident if holder == incident.id else None
        raise TransientFailure("no incident could be opened just now")

    def _new(self, alert: Alert, triage: Triage, attempt: int) -> Incident:
        now = self.clock.now()
        return Incident(
            id=new_incident_id(now, attempt),
            title=alert.title,
            source=alert.source.value,
            opened_at=now,
            updated_at=now,
            last_alert_at=now,
            service=triage.service or alert.service,
            type=triage.type,
        )

    def _begin(self, incident: Incident, alert: Alert) -> None:
        self._tell("AlertReceived", incident, alert, f"Alert received: {alert.title}")
        self._start(incident)

    def _start(self, incident: Incident) -> None:
        # The incident is stored: if it can't be started now, the sweeper starts it.
        with suppress(TransientFailure):
            self.workflow.start(incident)

    def _join(self, incident: Incident, alert: Alert, triage: Triage | None) -> Outcome:
        """Put an alert that fires with an incident; only what is new becomes an event."""
        known = self.incidents.alert(incident.id, alert.key)
        if known is not None and overtaken(alert, known):
            reason = "older than what the source has said since"
            return ended(OutcomeKind.SUPPRESSED, incident, reason)
        if self.incidents.claim(alert.key, incident.id, self._until()) != incident.id:
            return self._fire(alert)
        if known is not None and known.status is alert.status:
            return self._again(incident, alert, known)
        again = known is not None and known.status is AlertStatus.RESOLVED
        event, words = _ARRIVALS[again]
        self._tell(event, incident, alert, f"{words}: {alert.title}")
        self.incidents.attach(incident.id, alert)
        self._touch(incident, triage)
        if self._correlation.taking(incident.id) is None:
            # It was closed at this very moment, and a firing alert must not vanish in it.
            self.incidents.release(alert.key, incident.id)
            return self._fire(alert)
        return ended(OutcomeKind.ATTACHED, incident, words.lower())

    def _again(self, incident: Incident, alert: Alert, known: Alert) -> Outcome:
        """The same state sent again: counted, and a broken-off opening is completed."""
        self.incidents.attach(incident.id, alert.model_copy(update={"sent": known.sent + 1}))
        self._touch(incident, None)
        old = self.clock.now() - incident.opened_at >= _SETTLED
        if old and incident.status is IncidentStatus.TRIAGING:
            if not self.timeline.read(incident.id):
                self._tell("AlertReceived", incident, alert, f"Alert received: {alert.title}")
            self._start(incident)
        return ended(OutcomeKind.ATTACHED, incident, "sent again, nothing new")

    def _touch(self, incident: Incident, triage: Triage | None) -> None:
        changes: dict[str, Any] = {}
        if incident.source_resolved_at is not None:
            changes["source_resolved_at"] = None
        if self.clock.now() - heard(incident) >= _TOUCH:
            changes["last_alert_at"] = self.clock.now()
        if triage and incident.severity and triage.severity.worse_than(incident.severity):
            changes["severity"] = triage.severity
            self.timeline.append(incident.id, raised_entry(incident.severity, triage))
        if changes:
            self.incidents.change(incident.id, **changes)

    def _resolve(self, alert: Alert) -> Outcome:
        incident = self._correlation.known(self.incidents.holder_of(alert.key))
        if incident is None or not incident.status.open:
            reason = "nothing is open that this could resolve"
            return Outcome(outcome=OutcomeKind.SUPPRESSED, reason=reason)
        known = self.incidents.alert(incident.id, alert.key)
        if known is not None and outlived(alert, known):
            reason = "older than what the source has said since"
            return ended(OutcomeKind.SUPPRESSED, incident, reason)
        if known is None or known.status is not AlertStatus.RESOLVED:
            self._tell("AlertResolved", incident, alert, f"Resolved at the source: {alert.title}")
            self.incidents.attach(incident.id, alert)
        if not any(other.status in FAILING for other in self.incidents.alerts(incident.id)):
            self.incidents.change(incident.id, source_resolved_at=self.clock.now())
        self.incidents.release(alert.key, incident.id)
        return ended(OutcomeKind.RESOLVED, incident, "resolved at the source")

    def _note(self, alert: Alert) -> Outcome:
        """News about a known alert: kept beside it, because its state has not changed."""
        incident = self._correlation.known(self.incidents.holder_of(alert.key))
        if incident is None or not incident.status.open:
            reason = "it informs about nothing that is open"
            return Outcome(outcome=OutcomeKind.IGNORED, reason=reason)
        kind = alert.labels.get("event_type", "information")
        note = alert.model_copy(update={"key": note_key(alert, kind)})
        if self.incidents.alert(incident.id, note.key) is not None:
            return ended(OutcomeKind.SUPPRESSED, incident, "already noted")
        words = f"{alert.source.value} says: {kind}"
        told = f"{words}: {alert.description}" if alert.description else words
        self._tell("AlertAttached", incident, alert, told)
        self.incidents.attach(incident.id, note)
        return ended(OutcomeKind.ATTACHED, incident, "noted")

    def _tell(self, event: str, incident: Incident, alert: Alert, summary: str) -> None:
        self.timeline.append(incident.id, alert_entry(event, alert, summary))

    def _until(self) -> datetime:
        return self.clock.now() + CLAIM
