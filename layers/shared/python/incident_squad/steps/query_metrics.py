"""QueryMetrics: the agents' tool for real-time metrics, on the record of an incident."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import ValidationError

from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.evidence import METRIC_ID, EvidenceStatus
from incident_squad.domain.metric import MetricQuery, MetricQuestion, MetricResult, TimeRange
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.policy.measure import as_evidence
from incident_squad.policy.metric_query import own_range
from incident_squad.ports import Clock, IncidentStore, Telemetry, Timeline

RANGE = timedelta(minutes=15)
"""What is asked for when neither the request nor the query names a range."""

GRID_SECONDS = 10
"""Ranges that end now end on this grid, so that the same question in a row is asked once."""

_SPECIALIST = Actor.agent("specialist")
_OURS = "Value error, "
_ANSWERS = frozenset({EvidenceStatus.OK, EvidenceStatus.NO_DATA})


@dataclass(frozen=True)
class QueryMetrics:
    """Looks at a metric source; an answer for an incident is evidence with an id, kept there."""

    incidents: IncidentStore
    timeline: Timeline
    telemetry: Telemetry
    clock: Clock

    def __call__(
        self,
        question: MetricQuestion,
        incident_id: str | None = None,
        actor: Actor = _SPECIALIST,
    ) -> MetricResult:
        """The normalised answer; the same query of the same range is answered from the record.

        Raises UnknownIncident, and InvalidParameter for what is no query at all. What a source
        does is in the answer's status and message.
        """
        asked = self._asked(question)
        if incident_id is None:
            return self.telemetry.query(asked)
        self.incidents.get(incident_id)
        evidence_id = f"{METRIC_ID}{_key(asked)}"
        known = self._known(incident_id, evidence_id)
        if known is not None:
            return known
        found = self.telemetry.query(asked)
        found = found.model_copy(update={"evidence_id": evidence_id})
        self._record(incident_id, found, actor)
        return found

    def _asked(self, question: MetricQuestion) -> MetricQuery:
        query, own = own_range(question.query.strip())
        try:
            return MetricQuery(
                source=question.source,
                query=query,
                time_range=question.time_range or self._last(own or RANGE),
                aggregation=question.aggregation,
            )
        except ValidationError as error:
            why = "; ".join(str(problem["msg"]) for problem in error.errors()[:3])
            raise InvalidParameter(
                f"this is not a metric query: {why.replace(_OURS, '')}"
            ) from error

    def _last(self, span: timedelta) -> TimeRange:
        now = self.clock.now()
        on_grid = now.timestamp() // GRID_SECONDS * GRID_SECONDS
        end = datetime.fromtimestamp(on_grid, now.tzinfo)
        return TimeRange(start=end - span, end=end)

    def _known(self, incident_id: str, evidence_id: str) -> MetricResult | None:
        for evidence in self.incidents.evidence(incident_id):
            if evidence.id == evidence_id and evidence.status in _ANSWERS:
                return evidence.measured
        return None

    def _record(self, incident_id: str, found: MetricResult, actor: Actor) -> None:
        evidence = as_evidence(found)
        self.incidents.put_evidence(incident_id, evidence)
        value = f"{found.aggregation} = {found.value:g}" if found.value is not None else ""
        seen = value or f"{found.status.value.replace('_', ' ')} {found.message}"
        self.timeline.append(
            incident_id,
            Entry(
                event="MetricsQueried",
                summary=f"{found.source}: {found.query[:400]}: {seen}"[:2000],
                actor=actor,
                evidence_ids=(evidence.id,),
            ),
        )


def _key(query: MetricQuery) -> str:
    """The same for the same question, so that two who ask it at once write one evidence."""
    content = json.dumps(query.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:10]
