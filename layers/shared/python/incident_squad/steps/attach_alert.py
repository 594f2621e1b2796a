"""AttachAlert: put an alert that fires with the open incident that it belongs to."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from incident_squad.domain.alert import Alert, AlertStatus
from incident_squad.domain.incident import Incident, IncidentStatus
from incident_squad.domain.outcome import Cause, Outcome, OutcomeKind
from incident_squad.domain.triage import Triage
from incident_squad.ports import Clock, IncidentStore, Timeline, Workflow
from incident_squad.steps.alert_record import AlertLog, ended, heard, one, overtaken
from incident_squad.steps.correlation import Correlation

_TOUCH = timedelta(minutes=1)
_SETTLED = timedelta(seconds=10)
_ARRIVALS = {
    False: ("AlertAttached", "Alert attached", Cause.SAME_FAULT),
    True: ("AlertFiredAgain", "Fired again", Cause.FIRED_AGAIN),
}
_LATE = "older than what the source has said since"


@dataclass(frozen=True)
class AttachAlert:
    """Store a firing alert with an incident; only what is new becomes an event."""

    incidents: IncidentStore
    timeline: Timeline
    workflow: Workflow
    clock: Clock
    correlation: Correlation
    log: AlertLog
    hold: timedelta

    def __call__(self, incident: Incident, alert: Alert, triage: Triage | None) -> Outcome | None:
        """What became of it, or None when the incident does not take it and it starts anew.

        `triage` is None for an alert whose key the incident already holds.
        """
        known = self.incidents.alert(incident.id, alert.key)
        if known is not None and overtaken(alert, known):
            self.incidents.count((one(alert, OutcomeKind.SUPPRESSED, Cause.LATE),))
            return ended(OutcomeKind.SUPPRESSED, Cause.LATE, incident, _LATE)
        if triage is not None and not self._belongs(incident, alert, triage):
            return None
        until = self.clock.now() + self.hold
        if self.incidents.claim(alert.key, incident.id, until) != incident.id:
            return None
        if known is not None and known.status is alert.status:
            return self._again(incident, alert, known)
        again = known is not None and known.status is AlertStatus.RESOLVED
        event, words, cause = _ARRIVALS[again]
        self.log.tell(event, incident, alert, f"{words}: {alert.title}")
        return self._keep(incident, alert, (cause, words.lower()))

    def _belongs(self, incident: Incident, alert: Alert, triage: Triage) -> bool:
        if not self.correlation.spread(alert, triage, incident, self.hold):
            return False
        if incident.stated_severity is None or triage.severity.worse_than(incident.stated_severity):
            self.log.raise_to(incident, triage)
        return True

    def _keep(self, incident: Incident, alert: Alert, why: tuple[Cause, str]) -> Outcome | None:
        cause, words = why
        counted = one(alert, OutcomeKind.ATTACHED, cause)
        self.incidents.attach(incident.id, alert, (counted,))
        now = self.correlation.taking(incident.id)
        if now is None:
            # It was closed at this very moment, and a firing alert must not vanish in it.
            self.incidents.release(alert.key, incident.id)
            self.incidents.count([counted.model_copy(update={"number": -1})])
            return None
        self._touch(now)
        return ended(OutcomeKind.ATTACHED, cause, incident, words)

    def _again(self, incident: Incident, alert: Alert, known: Alert) -> Outcome | None:
        """The same state sent again: counted, and a broken-off opening is completed."""
        more = alert.model_copy(update={"sent": known.sent + 1})
        outcome = self._keep(incident, more, (Cause.SENT_AGAIN, "sent again, nothing new"))
        old = self.clock.now() - incident.opened_at >= _SETTLED
        if outcome is not None and old and incident.status is IncidentStatus.TRIAGING:
            self.log.begin(incident, alert)
            self.workflow.start(incident)
        return outcome

    def _touch(self, incident: Incident) -> None:
        changes: dict[str, Any] = {}
        if incident.source_resolved_at is not None:
            changes["source_resolved_at"] = None
        if self.clock.now() - heard(incident) >= _TOUCH:
            changes["last_alert_at"] = self.clock.now()
        if changes:
            self.incidents.change(incident.id, **changes)
