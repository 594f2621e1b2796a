"""Aftermath: what a source still says of a fault for a while after it is over."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from incident_squad.domain.alert import Alert
from incident_squad.domain.incident import Incident, IncidentStatus, Stage
from incident_squad.domain.outcome import Cause, Outcome, OutcomeKind
from incident_squad.ports import Clock, IncidentQuery, IncidentStore
from incident_squad.steps.alert_record import ended, one

SETTLING = timedelta(minutes=5)
"""Rates over minutes and grouping make a source lag behind: so long it is not taken for news."""

_LOOKED_BACK = timedelta(minutes=30)
_OVER = frozenset({Stage.CLOSE, Stage.DONE})
_REASON = "the fault was repaired moments ago: if it still fires in five minutes, it is taken up"


@dataclass(frozen=True)
class Aftermath:
    """Absorbs repetitions of an alert right after its recovery, and gives back what goes on."""

    incidents: IncidentStore
    clock: Clock

    def absorb(self, incident: Incident | None, alert: Alert) -> Outcome | None:
        """The outcome of an alert that only repeats what is over, or None when it is news."""
        if incident is None or incident.stage not in _OVER or not self._settling(incident):
            return None
        known = self.incidents.alert(incident.id, alert.key)
        if known is None or not known.status.failing or alert.started_at is None:
            return None
        if known.started_at != alert.started_at:
            return None
        counted = one(alert, OutcomeKind.SUPPRESSED, Cause.SETTLING)
        again = alert.model_copy(update={"sent": known.sent + 1})
        self.incidents.attach(incident.id, again, (counted,))
        until = self.clock.now() + _LOOKED_BACK
        self.incidents.claim(_absorbed_key(alert), incident.id, until)
        return ended(OutcomeKind.SUPPRESSED, Cause.SETTLING, incident, _REASON)

    def release(self, receive: Callable[[Sequence[Alert]], object]) -> None:
        """Receive again what was absorbed and has not ended since."""
        for incident in self._recent():
            if not self._settling(incident):
                alerts = self.incidents.alerts(incident.id)
                receive([alert for alert in alerts if self._goes_on(incident, alert)])

    def _goes_on(self, incident: Incident, alert: Alert) -> bool:
        keys = (alert.key, _absorbed_key(alert))
        held = all(self.incidents.holder_of(key) == incident.id for key in keys)
        return alert.status.failing and held

    def _settling(self, incident: Incident) -> bool:
        return self.clock.now() - (incident.resolved_at or incident.updated_at) < SETTLING

    def _recent(self) -> Iterator[Incident]:
        page = self.incidents.list(IncidentQuery(status=IncidentStatus.RESOLVED, limit=50))
        oldest = self.clock.now() - _LOOKED_BACK
        yield from (i for i in page.incidents if (i.resolved_at or i.updated_at) > oldest)


def _absorbed_key(alert: Alert) -> str:
    return f"absorbed:{alert.key}"
