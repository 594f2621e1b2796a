"""Correlation: the open incident that an alert belongs to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from incident_squad.domain.alert import Alert
from incident_squad.domain.errors import TransientFailure, UnknownIncident
from incident_squad.domain.incident import Incident, IncidentStatus, Stage
from incident_squad.domain.triage import Triage
from incident_squad.domain.values import Environment
from incident_squad.policy.causes import SHARED, cause_of, one_fault, spread_up
from incident_squad.policy.dependencies import around, family
from incident_squad.ports import Clock, IncidentStore, Knowledge
from incident_squad.steps.alert_record import heard

WINDOW = timedelta(minutes=30)
"""An incident that has heard nothing for longer takes no alerts but its own."""

_LOCKED = timedelta(seconds=5)


@dataclass(frozen=True)
class Correlation:
    """Which alerts are one fault.

    An alert belongs to an open incident that heard something within the window and is in its
    environment, in this order:

    1. of its own service, when both can be one fault: the same cause, causes that come together,
       or a symptom of whatever is open there. A certificate that runs out, or a break-in, during
       a database storm of the same service is another fault and opens its own incident;
    2. with the same cause, when that cause hits services that have nothing to do with each other;
    3. of the same resource (host, instance), when it says the same cause;
    4. of a service that it depends on, or that depends on it, at most two steps away, nearest
       first: faults spread upwards, so what is felt above must be a symptom. Errors of an API
       whose database has run out of connections are that incident; a failed deployment is not.

    An incident that shows only symptoms takes the first cause that is said, and no second one.
    What an incident takes is kept as claims: scopes (a service or a resource in an environment),
    each held by one incident at a time, so that looking costs the same however many are open.
    """

    incidents: IncidentStore
    knowledge: Knowledge
    clock: Clock

    def related(self, alert: Alert, triage: Triage) -> Incident | None:
        """The open incident that takes this alert, or None."""
        for scope in self._own(alert, triage):
            incident = self._fresh(scope)
            if incident and one_fault(incident.type, self._cause(incident, triage), triage):
                return incident
        if alone(alert, triage):
            return None
        return self._of_resource(alert, triage) or self._around(triage)

    def taking(self, incident_id: str | None) -> Incident | None:
        """The incident if it is open and nobody has declared it over, otherwise None."""
        incident = self.known(incident_id)
        if incident is None or not incident.status.open or incident.stage is Stage.CLOSE:
            return None
        ended = incident.stage is Stage.DONE and incident.status is not IncidentStatus.HANDED_OVER
        return None if ended else incident

    def known(self, incident_id: str | None) -> Incident | None:
        """The incident, or None when there is none."""
        try:
            return self.incidents.get(incident_id) if incident_id else None
        except UnknownIncident:
            return None

    @contextmanager
    def opening(self, alert: Alert, triage: Triage) -> Iterator[bool]:
        """Be the only one who opens an incident among services that depend on each other.

        Gives whether we are. Needed because two alerts of one fault at the same moment see nothing
        open, and because incidents of one moment get the same id. Who crashes inside loses the
        lock by time.
        """
        lock, name = f"opening:{self._family(alert, triage)}", uuid4().hex
        mine = self._locked(lock, name)
        try:
            yield mine
        finally:
            if mine:
                self.incidents.release(lock, name)

    def take(self, alert: Alert, triage: Triage, incident: Incident, until: timedelta) -> None:
        """Claim what the new incident is about; only inside `opening`."""
        base, *others = self._own(alert, triage)
        if not self._claimed(base, incident, until) and others:
            self._claimed(others[0], incident, until)
        if not alone(alert, triage):
            for scope in (_shared(triage), _resource(alert, triage)):
                if scope:
                    self._claimed(scope, incident, until)

    def spread(self, alert: Alert, triage: Triage, incident: Incident, until: timedelta) -> bool:
        """Note that an alert joins: its service is affected now, its cause may be the cause.

        False when another cause came first: then the alert does not belong there after all.
        """
        cause = cause_of(triage)
        if cause is not None and incident.cause is None:
            end = self.clock.now() + until
            first = self.incidents.claim(f"cause:{incident.id}", cause, end)
            if not one_fault(incident.type, first, triage):
                return False
            if first == cause:
                self.incidents.change(incident.id, cause=cause, lead_key=alert.key)
        if incident.service != triage.service and not alone(alert, triage):
            self._claimed(next(iter(self._own(alert, triage))), incident, until)
        return True

    def _cause(self, incident: Incident, triage: Triage) -> str | None:
        """The incident's cause; one that is being noted this very moment counts too."""
        if incident.cause is not None or cause_of(triage) is None:
            return incident.cause
        return self.incidents.holder_of(f"cause:{incident.id}")

    def _own(self, alert: Alert, triage: Triage) -> list[str]:
        """Scopes of the alert itself: what everybody asks for, then its cause's own.

        An alert of nothing known goes with itself only. So does noise: a real alert must never
        end in the incident of a drill.
        """
        if alone(alert, triage):
            return [f"alert:{alert.key}"]
        service = triage.service or alert.service
        base = _service(service, triage.environment) if service else _resource(alert, triage) or ""
        mine = f"{base}#{cause_of(triage) or 'symptoms'}"
        shared = _shared(triage)
        return [base, mine, *([shared] if shared else [])]

    def _of_resource(self, alert: Alert, triage: Triage) -> Incident | None:
        scope, cause = _resource(alert, triage), cause_of(triage)
        incident = self._fresh(scope) if scope and cause else None
        return incident if incident and self._cause(incident, triage) == cause else None

    def _around(self, triage: Triage) -> Incident | None:
        for name, above in around(self.knowledge.catalog, triage.service):
            incident = self._fresh(_service(name, triage.environment))
            if incident is not None:
                known = self._cause(incident, triage)
                if spread_up(incident.type, known, triage, above=above):
                    return incident
        return None

    def _claimed(self, scope: str, incident: Incident, until: timedelta) -> bool:
        """Whether the scope is this incident's now; it is taken from who no longer needs it."""
        end = self.clock.now() + until
        holder = self.incidents.claim(scope, incident.id, end)
        if holder != incident.id and self._fresh(scope) is None:
            self.incidents.release(scope, holder)
            holder = self.incidents.claim(scope, incident.id, end)
        return holder == incident.id

    def _family(self, alert: Alert, triage: Triage) -> str:
        if alone(alert, triage):
            return f"alert:{alert.key}"
        if cause_of(triage) in SHARED:
            return f"cause:{cause_of(triage)}"
        named = triage.service or alert.service or f"resource:{alert.resource}"
        return f"{triage.environment.value}:{family(self.knowledge.catalog, named)}"

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


def alone(alert: Alert, triage: Triage) -> bool:
    """Whether an alert goes with nothing but itself."""
    return triage.noise or not (triage.service or alert.service or alert.resource)


def _service(service: str, environment: Environment) -> str:
    return f"service:{environment.value}:{service.lower()}"


def _resource(alert: Alert, triage: Triage) -> str | None:
    if not alert.resource:
        return None
    return f"resource:{triage.environment.value}:{alert.resource.lower()}"


def _shared(triage: Triage) -> str | None:
    cause = cause_of(triage)
    return f"shared:{triage.environment.value}:{cause}" if cause in SHARED else None
