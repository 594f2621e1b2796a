"""Answers the metric probes of runbooks."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.metric import MetricQuery, TimeRange
from incident_squad.domain.runbook import MetricProbe, Probe
from incident_squad.policy.measure import as_evidence
from incident_squad.policy.metric_query import fill_probe
from incident_squad.ports import Clock, Knowledge, Telemetry

NEWEST_MINUTES = 5
"""How far back the newest value may lie."""


class MetricProber:
    """Implements `Prober`; here the "target" is the service of the catalogue to ask about."""

    def __init__(self, telemetry: Telemetry, knowledge: Knowledge, clock: Clock) -> None:
        self._telemetry = telemetry
        self._knowledge = knowledge
        self._clock = clock

    def probe(self, probe: Probe, target: str | None, parameters: Mapping[str, Any]) -> Evidence:
        """Ask one query of the last minutes; what goes wrong is in the evidence's status."""
        del parameters  # a query holds names of the catalogue only
        if not isinstance(probe, MetricProbe):
            return self._unasked(probe, f"a probe of kind {probe.kind} asks no metric")
        try:
            asked = self._query(probe, target)
        except (InvalidParameter, ValidationError) as error:
            return self._unasked(probe, str(error))
        return as_evidence(self._telemetry.query(asked))

    def _query(self, probe: MetricProbe, service: str | None) -> MetricQuery:
        now = self._clock.now()
        minutes = probe.window_minutes or NEWEST_MINUTES
        return MetricQuery(
            source=probe.source,
            query=fill_probe(probe, self._knowledge.catalog, service),
            time_range=TimeRange(start=now - timedelta(minutes=minutes), end=now),
            aggregation=probe.aggregation,
            latest=probe.window_minutes == 0,
        )

    def _unasked(self, probe: Probe, why: str) -> Evidence:
        return Evidence(
            id="",
            source=f"metric:{getattr(probe, 'source', 'none')}",
            query=str(getattr(probe, "query", ""))[:2000],
            status=EvidenceStatus.NOT_CONFIGURED,
            detail=why,
            observed_at=self._clock.now(),
        )
