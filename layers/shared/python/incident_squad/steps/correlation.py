"""Correlation: the open incident that an alert belongs to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from incident_squad.domain.alert import Alert
from incident_squad.domain.errors import TransientFailure, UnknownIncident
from incident_squad.domain.incident import Incident, Stage
from incident_squad.domain.triage import Triage
from incident_squad.domain.values import Environment
from incident_squad.ports import Clock, IncidentStore, Knowledge
from incident_squad.steps.alert_record import heard

WINDOW = timedelta(minutes=30)
"""An incident that has heard nothing for longer takes no alerts but its own."""

_CLOSING = frozenset({Stage.CLOSE, Stage.DONE})
_LOCKED = timedelta(seconds=5)
_PAUSE = 0.05
_TRIES = 120


@dataclass(frozen=True)
class Correlation:
    """Alerts of one service and environment go together; those of a dependency of the same type.

    Each scope (a service in an environment) is claimed by one incident at a time.
    """

    incidents: IncidentStore
    knowledge: Knowledge
    clock: Clock

    def scope(self, alert: Alert, triage: Triage) -> str:
        """What the alert's incident claims besides the alert's key.

        An alert of no service goes with itself only. So does noise: a real alert must never end
        in the incident of a drill.
        """
        service = triage.service or alert.service
        if service is None or triage.noise:
            return f"alert:{alert.key}"
        return _scope(service, triage.environment)

    def related(self, alert: Alert, triage: Triage) -> Incident | None:
        """The open incident that takes this alert, or None."""
        scope = self.scope(alert, triage)
        own = self._fresh(scope)
        if own is not None or scope.startswith("alert:"):
            return own
        others = (self._fresh(other) for other in self._neighbours(triage))
        return next((i for i in others if i is not None and i.type is triage.type), None)

    def taking(self, incident_id: str | None) -> Incident | None:
        """The incident if it is open and nobody has declared it over, otherwise None."""
        incident = self.known(incident_id)
        if incident is None or not incident.status.open or incident.stage in _CLOSING:
            return None
        return incident

    def known(self, incident_id: str | None) -> Incident | None:
        """The incident, or None when there is none."""
        try:
            return self.incidents.get(incident_id) if incident_id else None
        except UnknownIncident:
            return None

    @contextmanager
    def alone(self, scope: str) -> Iterator[None]:
        """Be the only one who opens an incident in this scope; raises TransientFailure.

        Needed because incidents of the same moment get the same id, so that claiming the scope
        by the id alone could succeed twice. Who crashes inside loses the lock by time.
        """
        lock, name = f"opening:{scope}", uuid4().hex
        for _ in range(_TRIES):
            if self._locked(lock, name):
                break
            self.clock.sleep(_PAUSE)
        else:
            raise TransientFailure("another alert of this service is being taken")
        try:
            yield
        finally:
            self.incidents.release(lock, name)

    def take(self, scope: str, incident: Incident, until: timedelta) -> None:
        """Claim the scope from whoever no longer needs it; only inside `alone`."""
        end = self.clock.now() + until
        holder = self.incidents.claim(scope, incident.id, end)
        if holder != incident.id:
            self.incidents.release(scope, holder)
            self.incidents.claim(scope, incident.id, end)

    def _locked(self, lock: str, name: str) -> bool:
        try:
            return self.incidents.claim(lock, name, self.clock.now() + _LOCKED) == name
        except TransientFailure:
            return False

    def _fresh(self, scope: str) -> Incident | None:
        incident = self.taking(self.incidents.holder_of(scope))
        if incident is None or self.clock.now() - heard(incident) > WINDOW:
            return None
        return incident

    def _neighbours(self, triage: Triage) -> Iterator[str]:
        """The scopes of what the service depends on, and of what depends on it."""
        services = self.knowledge.catalog.services
        mine = services.get(triage.service or "")
        for name, service in services.items():
            below = mine is not None and name in mine.depends_on
            if below or triage.service in service.depends_on:
                yield _scope(name, triage.environment)


def _scope(service: str, environment: Environment) -> str:
    return f"service:{environment.value}:{service.lower()}"
