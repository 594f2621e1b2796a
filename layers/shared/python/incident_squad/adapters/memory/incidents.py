"""Incidents in memory."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from incident_squad.adapters.memory.alerts import MemoryAlerts
from incident_squad.adapters.records import (
    Attached,
    bounded,
    copy_of,
    cursor_after,
    id_bounds,
    natural,
    plain,
    plain_mapping,
    updates_in_order,
    valid_changes,
    wanted,
)
from incident_squad.domain.alert import Alert
from incident_squad.domain.errors import TransientFailure, UnknownIncident
from incident_squad.domain.evidence import Diagnosis, Evidence
from incident_squad.domain.incident import Incident
from incident_squad.domain.outcome import Count
from incident_squad.domain.plan import Plan, StepRecord
from incident_squad.domain.update import StatusUpdate
from incident_squad.domain.values import Severity, iso
from incident_squad.ports import Clock, IncidentPage, IncidentQuery


class MemoryIncidents(MemoryAlerts):
    """Implements `IncidentStore`. Everything is copied in and out, so nothing is shared."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._incidents: dict[str, Incident] = {}
        self._evidence: dict[str, dict[str, Evidence]] = defaultdict(dict)
        self._diagnoses: dict[str, Diagnosis] = {}
        self._plans: dict[str, Plan] = {}
        self._steps: dict[str, dict[int, StepRecord]] = defaultdict(dict)
        self._updates: dict[str, dict[tuple[str, str], StatusUpdate]] = defaultdict(dict)
        self._reports: dict[str, dict[str, Any]] = {}

    def open(
        self, incident: Incident, alert: Alert, claim_until: datetime, counts: Sequence[Count] = ()
    ) -> str:
        """Create incident, first alert and claim, and count; gives the holder of the key."""
        with self._lock:
            holder = self.holder_of(alert.key)
            if holder is not None:
                return holder
            if incident.id in self._incidents:
                raise TransientFailure(f"the id {incident.id} is taken")
            self._incidents[incident.id] = copy_of(incident)
            self._claims[alert.key] = (incident.id, claim_until)
            self._keep(incident.id, Attached(alert, iso(alert.received_at), opening=True))
            self.count(counts)
            return incident.id

    def state_severity(self, incident_id: str, severity: Severity) -> bool:
        """Note how bad an alert says it is; True when that raised the incident's severity."""
        with self._lock:
            incident = self.get(incident_id)
            known = incident.stated_severity
            if known is not None and not severity.worse_than(known):
                return False
            raised = incident.severity is not None and severity.worse_than(incident.severity)
            changes = {"stated_severity": severity, **({"severity": severity} if raised else {})}
            self._incidents[incident_id] = incident.model_copy(update=changes)
            return raised

    def get(self, incident_id: str) -> Incident:
        """The incident; raises UnknownIncident."""
        try:
            return copy_of(self._incidents[incident_id])
        except KeyError:
            raise UnknownIncident(f"there is no incident {incident_id}") from None

    def change(self, incident_id: str, **fields: object) -> Incident:
        """Set the named fields and `updated_at`; raises UnknownIncident, InvalidParameter."""
        with self._lock:
            changes = valid_changes({"updated_at": self._clock.now(), **fields})
            changed = Incident.model_validate({**plain(self.get(incident_id)), **changes})
            self._incidents[incident_id] = changed
            return copy_of(changed)

    def list(self, query: IncidentQuery) -> IncidentPage:
        """Incidents, newest first; raises InvalidParameter on a bad cursor."""
        low, high = id_bounds(query)
        with self._lock:
            newest_first = sorted(self._incidents, reverse=True)
            inside = (self._incidents[name] for name in newest_first if low <= name <= high)
            found = tuple(copy_of(incident) for incident in inside if wanted(incident, query))
        page = found[: query.limit]
        more = len(found) > query.limit
        return IncidentPage(incidents=page, next=cursor_after(page[-1]) if more else None)

    def put_evidence(self, incident_id: str, evidence: Evidence) -> None:
        """Store an observation."""
        with self._lock:
            self._evidence[incident_id][evidence.id] = copy_of(bounded(evidence))

    def evidence(self, incident_id: str) -> Sequence[Evidence]:
        """All observations, in the order of their ids."""
        with self._lock:
            stored = self._evidence[incident_id]
            return tuple(copy_of(stored[name]) for name in sorted(stored, key=natural))

    def put_diagnosis(self, incident_id: str, diagnosis: Diagnosis) -> None:
        """Store the diagnosis."""
        self._diagnoses[incident_id] = copy_of(diagnosis)

    def diagnosis(self, incident_id: str) -> Diagnosis | None:
        """The diagnosis, or None while there is none."""
        stored = self._diagnoses.get(incident_id)
        return copy_of(stored) if stored else None

    def put_plan(self, plan: Plan) -> None:
        """Store the plan of its incident."""
        self._plans[plan.incident_id] = copy_of(plan)

    def plan(self, incident_id: str) -> Plan | None:
        """The plan, or None while there is none."""
        stored = self._plans.get(incident_id)
        return copy_of(stored) if stored else None

    def put_step(self, incident_id: str, record: StepRecord) -> None:
        """Store what became of a step."""
        with self._lock:
            self._steps[incident_id][record.place] = copy_of(record)

    def steps(self, incident_id: str) -> Sequence[StepRecord]:
        """Records of steps, in the order of the plan."""
        with self._lock:
            stored = self._steps[incident_id]
            return tuple(copy_of(stored[place]) for place in sorted(stored))

    def put_update(self, incident_id: str, update: StatusUpdate) -> None:
        """Store a status update; one of the same moment and state is replaced."""
        with self._lock:
            self._updates[incident_id][_place(update)] = copy_of(update)

    def place_update(
        self, incident_id: str, update: StatusUpdate, after: int
    ) -> StatusUpdate | None:
        """Store an update as the one that follows number `after`; None when it can't be."""
        with self._lock:
            stored = self._updates[incident_id]
            there = stored.get(_place(update))
            said = max((other.number for other in stored.values()), default=0)
            known = incident_id in self._incidents
            if not known or said != after or (there is not None and there.number):
                return None
            placed = update.model_copy(update={"number": after + 1})
            stored[_place(update)] = copy_of(placed)
            return placed

    def updates(self, incident_id: str) -> Sequence[StatusUpdate]:
        """Status updates in the order in which they were said, and then the drafts."""
        with self._lock:
            stored = [copy_of(update) for update in self._updates[incident_id].values()]
        return updates_in_order(stored)

    def put_report(self, incident_id: str, report: Mapping[str, Any]) -> None:
        """Store the final report (its JSON form)."""
        self._reports[incident_id] = plain_mapping(report)

    def report(self, incident_id: str) -> Mapping[str, Any] | None:
        """The final report, or None while the incident is open."""
        stored = self._reports.get(incident_id)
        return plain_mapping(stored) if stored is not None else None


def _place(update: StatusUpdate) -> tuple[str, str]:
    return iso(update.at), update.state.value
