"""SettleAlert: what a source says of an alert that no longer, or only incidentally, fires."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from incident_squad.domain.alert import Alert, AlertStatus
from incident_squad.domain.errors import UnknownIncident
from incident_squad.domain.incident import Incident
from incident_squad.domain.outcome import Cause, Outcome, OutcomeKind
from incident_squad.domain.values import iso
from incident_squad.policy.escalation import ACKNOWLEDGED
from incident_squad.ports import Clock, IncidentStore
from incident_squad.steps.alert_record import AlertLog, ended, note_key, one, outlived, over_key
from incident_squad.steps.correlation import Correlation

ACKNOWLEDGED_THERE = "incident.acknowledged"
"""PagerDuty's word for it."""

REMEMBERED = timedelta(hours=24)
"""How long an end is known, so that a firing from before it, delivered late, opens nothing."""


@dataclass(frozen=True)
class SettleAlert:
    """Resolve, or take note."""

    incidents: IncidentStore
    clock: Clock
    correlation: Correlation
    log: AlertLog

    def resolve(self, alert: Alert) -> Outcome:
        """Close what the alert opened; one that comes before its alert is remembered."""
        incident = self._open(alert)
        if incident is None:
            self._remember(alert)
            reason = "nothing is open that this could resolve"
            return self._counted(alert, OutcomeKind.SUPPRESSED, Cause.NOTHING_OPEN, reason)
        known = self.incidents.alert(incident.id, alert.key)
        if known is not None and outlived(alert, known):
            reason = "older than what the source has said since"
            return self._counted(alert, OutcomeKind.SUPPRESSED, Cause.LATE, reason, incident)
        counted = one(alert, OutcomeKind.RESOLVED, Cause.RESOLVED)
        if known is None or known.status is not AlertStatus.RESOLVED:
            words = f"Resolved at the source: {alert.title}"
            self.log.tell("AlertResolved", incident, alert, words)
            self.incidents.attach(incident.id, alert, (counted,))
        else:
            self.incidents.count((counted,))
        self._all_well(incident)
        self._remember(alert)
        self.incidents.release(alert.key, incident.id)
        return ended(OutcomeKind.RESOLVED, Cause.RESOLVED, incident, "resolved at the source")

    def note(self, alert: Alert) -> Outcome:
        """News about a known alert: kept beside it, because its state has not changed."""
        incident = self._open(alert)
        if incident is None:
            reason = "it informs about nothing that is open"
            return self._counted(alert, OutcomeKind.IGNORED, Cause.NOTHING_OPEN, reason)
        kind = alert.labels.get("event_type", "information")
        note = alert.model_copy(update={"key": note_key(alert, kind)})
        if self.incidents.alert(incident.id, note.key) is not None:
            kind_of = (OutcomeKind.SUPPRESSED, Cause.ALREADY_NOTED)
            return self._counted(alert, *kind_of, "already noted", incident)
        words = f"{alert.source.value} says: {kind}"
        told = f"{words}: {alert.description}" if alert.description else words
        self.log.tell("AlertAttached", incident, alert, told)
        self._acknowledge(incident, alert)
        self.incidents.attach(incident.id, note, (one(alert, OutcomeKind.ATTACHED, Cause.NOTED),))
        return ended(OutcomeKind.ATTACHED, Cause.NOTED, incident, "noted")

    def echo(self, alert: Alert, incident_id: str) -> Outcome:
        """What PagerDuty says of a page that we sent it: whoever acknowledges it is on it."""
        with suppress(UnknownIncident):
            self._acknowledge(self.incidents.get(incident_id), alert)
        return self._counted(alert, OutcomeKind.IGNORED, Cause.OUR_OWN, "an echo of our own page")

    def _acknowledge(self, incident: Incident, alert: Alert) -> None:
        if alert.labels.get("event_type") != ACKNOWLEDGED_THERE or not incident.status.open:
            return
        if not self.log.acknowledged(incident):
            who = alert.labels.get("agent") or "somebody"
            self.log.tell(ACKNOWLEDGED, incident, alert, f"{who} acknowledged in PagerDuty")

    def _open(self, alert: Alert) -> Incident | None:
        incident = self.correlation.known(self.incidents.holder_of(alert.key))
        return incident if incident is not None and incident.status.open else None

    def _all_well(self, incident: Incident) -> None:
        """Note that all is well, unless an alert fires, even one that came this very moment."""
        if self.incidents.still_firing(incident.id):
            return
        self.incidents.change(incident.id, source_resolved_at=self.clock.now())
        if self.incidents.still_firing(incident.id):
            self.incidents.change(incident.id, source_resolved_at=None)

    def _remember(self, alert: Alert) -> None:
        key, ended_at = over_key(alert.key), iso(alert.ended_at or alert.received_at)
        holder = self.incidents.claim(key, ended_at, self.clock.now() + REMEMBERED)
        if holder < ended_at:
            self.incidents.release(key, holder)
            self.incidents.claim(key, ended_at, self.clock.now() + REMEMBERED)

    def _counted(
        self,
        alert: Alert,
        kind: OutcomeKind,
        cause: Cause,
        reason: str,
        incident: Incident | None = None,
    ) -> Outcome:
        self.incidents.count((one(alert, kind, cause),))
        found = incident.id if incident else None
        return Outcome(outcome=kind, incident_id=found, reason=reason, cause=cause)
