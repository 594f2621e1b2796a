"""Incidents in DynamoDB."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from pydantic import BaseModel

from incident_squad.adapters.dynamodb_alerts import DynamoAlerts
from incident_squad.adapters.dynamodb_items import (
    META,
    PARTITION,
    SORT,
    Item,
    attributes,
    decode,
    incident_key,
    restored,
    stored,
    update_sort,
)
from incident_squad.adapters.dynamodb_table import Cancelled, ConditionFailed
from incident_squad.adapters.records import (
    bounded,
    cursor_after,
    id_bounds,
    natural,
    plain_mapping,
    updates_in_order,
    valid_changes,
    wanted,
)
from incident_squad.domain.errors import UnknownIncident
from incident_squad.domain.evidence import Diagnosis, Evidence
from incident_squad.domain.incident import Incident, IncidentStatus
from incident_squad.domain.plan import Plan, StepRecord
from incident_squad.domain.update import StatusUpdate
from incident_squad.ports import IncidentPage, IncidentQuery

V = TypeVar("V", bound=BaseModel)


class DynamoIncidents(DynamoAlerts):
    """Implements `IncidentStore`. Lists come from indexes, which are a moment old."""

    def get(self, incident_id: str) -> Incident:
        """The incident; raises UnknownIncident."""
        item = self._table.get(incident_key(incident_id), META)
        if item is None:
            raise UnknownIncident(f"there is no incident {incident_id}")
        return restored(Incident, item)

    def change(self, incident_id: str, **fields: object) -> Incident:
        """Set the named fields and `updated_at`; raises UnknownIncident, InvalidParameter."""
        changes = valid_changes({"updated_at": self._clock.now(), **fields})
        key = (incident_key(incident_id), META)
        try:
            return restored(Incident, self._table.update(key, changes, "attribute_exists(#PK)"))
        except ConditionFailed:
            raise UnknownIncident(f"there is no incident {incident_id}") from None

    def list(self, query: IncidentQuery) -> IncidentPage:
        """Incidents, newest first; raises InvalidParameter on a bad cursor."""
        low, high = id_bounds(query)
        if low > high:
            return IncidentPage(incidents=())
        page = query.limit + 1
        parts = [
            (restored(Incident, item) for item in self._table.index(*part, low, high, page))
            for part in _partitions(query)
        ]
        merged = heapq.merge(*parts, key=lambda incident: incident.id, reverse=True)
        return _first_page([*islice(_fitting(merged, query), page)], query.limit)

    def put_evidence(self, incident_id: str, evidence: Evidence) -> None:
        """Store an observation."""
        self._put(incident_id, f"EVIDENCE#{evidence.id}", bounded(evidence))

    def evidence(self, incident_id: str) -> Sequence[Evidence]:
        """All observations, in the order of their ids."""
        found = self._all(Evidence, incident_id, "EVIDENCE#")
        return tuple(sorted(found, key=lambda evidence: natural(evidence.id)))

    def put_diagnosis(self, incident_id: str, diagnosis: Diagnosis) -> None:
        """Store the diagnosis."""
        self._put(incident_id, "DIAGNOSIS", diagnosis)

    def diagnosis(self, incident_id: str) -> Diagnosis | None:
        """The diagnosis, or None while there is none."""
        item = self._table.get(incident_key(incident_id), "DIAGNOSIS")
        return restored(Diagnosis, item) if item else None

    def put_plan(self, plan: Plan) -> None:
        """Store the plan of its incident."""
        self._put(plan.incident_id, "PLAN", plan)

    def plan(self, incident_id: str) -> Plan | None:
        """The plan, or None while there is none."""
        item = self._table.get(incident_key(incident_id), "PLAN")
        return restored(Plan, item) if item else None

    def put_step(self, incident_id: str, record: StepRecord) -> None:
        """Store what became of a step."""
        self._put(incident_id, f"STEP#{record.place:03d}", record)

    def steps(self, incident_id: str) -> Sequence[StepRecord]:
        """Records of steps, in the order of the plan."""
        found = self._all(StepRecord, incident_id, "STEP#")
        return tuple(sorted(found, key=lambda record: record.place))

    def put_update(self, incident_id: str, update: StatusUpdate) -> None:
        """Store a status update; one of the same moment and state is replaced."""
        self._put(incident_id, update_sort(update), update)

    def updates(self, incident_id: str) -> Sequence[StatusUpdate]:
        """Status updates in the order in which they were said, and then the drafts."""
        found = self._all(StatusUpdate, incident_id, "UPDATE#")
        return updates_in_order(found)

    def place_update(
        self, incident_id: str, update: StatusUpdate, after: int
    ) -> StatusUpdate | None:
        """Store an update as the one that follows number `after`; None when it can't be."""
        placed = update.model_copy(update={"number": after + 1})
        item = _item(incident_id, update_sort(update), stored(placed))
        meta = (incident_key(incident_id), META)
        # Incidents from before there were numbers have none.
        last = (
            "#said = :after" if after else "attribute_exists(#PK) AND attribute_not_exists(#said)"
        )
        counted = self._table.update_write(meta, {"said": after + 1}, last, after=after or None)
        own = "attribute_not_exists(#PK) OR #number = :draft"
        writes = [counted, self._table.put_write(item, own, draft=0)]
        try:
            self._table.transact(writes)
        except Cancelled:
            return None
        return placed

    def put_report(self, incident_id: str, report: Mapping[str, Any]) -> None:
        """Store the final report (its JSON form)."""
        content = {"report": plain_mapping(report)}
        self._table.put(_item(incident_id, "REPORT", content))

    def report(self, incident_id: str) -> Mapping[str, Any] | None:
        """The final report, or None while the incident is open."""
        item = self._table.get(incident_key(incident_id), "REPORT")
        return dict(decode(item["report"])) if item else None

    def _put(self, incident_id: str, sort: str, value: BaseModel) -> None:
        self._table.put(_item(incident_id, sort, stored(value)))

    def _all(self, cls: type[V], incident_id: str, prefix: str) -> Iterator[V]:
        for item in self._table.query(incident_key(incident_id), prefix):
            yield restored(cls, item)


def _item(incident_id: str, sort: str, fields: Mapping[str, Any]) -> Item:
    return attributes({PARTITION: incident_key(incident_id), SORT: sort, **fields})


def _partitions(query: IncidentQuery) -> Sequence[tuple[str, str]]:
    """The partitions of the index that leaves the fewest incidents to look at."""
    if query.status is not None:
        return [("by_status", query.status.value)]
    if query.open_only:
        return [("by_status", status.value) for status in IncidentStatus if status.open]
    if query.service is not None:
        return [("by_service", query.service)]
    if query.type is not None:
        return [("by_type", query.type.value)]
    if query.severity is not None:
        return [("by_severity", query.severity.value)]
    return [("by_time", "incident")]


def _first_page(found: Sequence[Incident], limit: int) -> IncidentPage:
    kept = tuple(found[:limit])
    more = len(found) > limit
    return IncidentPage(incidents=kept, next=cursor_after(kept[-1]) if more else None)


def _fitting(found: Iterator[Incident], query: IncidentQuery) -> Iterator[Incident]:
    last = ""
    for incident in found:
        # An incident whose status changes meanwhile can be in two partitions for a moment.
        if incident.id != last and wanted(incident, query):
            last = incident.id
            yield incident
