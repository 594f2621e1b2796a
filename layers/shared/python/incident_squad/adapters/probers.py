"""Asks every kind of probe, at the target that plays the probe's role for the service."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from incident_squad.adapters.cloud_probers import cloud_probers
from incident_squad.adapters.http_target import HttpProber
from incident_squad.adapters.metrics.prober import MetricProber
from incident_squad.adapters.metrics.telemetry import CatalogTelemetry
from incident_squad.adapters.operations import TargetOperations
from incident_squad.adapters.sql_session import Sessions
from incident_squad.adapters.sql_target import SqlProber
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.runbook import (
    AwsProbe,
    CommandProbe,
    Condition,
    K8sProbe,
    MetricProbe,
    Probe,
)
from incident_squad.policy.expectation import passes
from incident_squad.ports import Clock, Knowledge, Prober, Secrets

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Seconds between looks at a condition: most come true at once, some take minutes."""
METRIC_PAUSE = 1.0
"""The first of these for metrics, which change no faster than they are collected."""


class CatalogProbers:
    """Implements `Probers` over one `Prober` for each kind of probe that is built."""

    def __init__(self, knowledge: Knowledge, secrets: Secrets, clock: Clock) -> None:
        self._knowledge = knowledge
        self._clock = clock
        self._by_kind: dict[str, Prober] = {
            "sql": SqlProber(Sessions(knowledge, secrets), clock),
            "http": HttpProber(TargetOperations(knowledge, secrets), clock),
            **cloud_probers(knowledge, clock),
            "metric": MetricProber(CatalogTelemetry(knowledge, secrets, clock), knowledge, clock),
        }

    def ask(self, probe: Probe, service: str | None, parameters: Mapping[str, Any]) -> Evidence:
        """One observation; what cannot be asked here is `not_configured`, with the reason."""
        prober = self._by_kind.get(probe.kind)
        if prober is None:
            return self._missing(probe, f"nothing here asks {probe.kind} probes")
        if isinstance(probe, MetricProbe):
            return prober.probe(probe, service, parameters)
        target = self._knowledge.catalog.target_of(service, probe.target) if service else None
        if target is None:
            return self._missing(probe, f"'{service}' has no target as its {probe.target}")
        if isinstance(probe, AwsProbe | CommandProbe | K8sProbe):
            parameters = {"service": service, **parameters}
        return prober.probe(probe, target, parameters)

    def holds(
        self, condition: Condition, service: str | None, parameters: Mapping[str, Any]
    ) -> tuple[bool, Evidence]:
        """Whether it holds: asked again until it has held for `for_seconds` without a break.

        It must have begun to hold when `within_seconds` are over.
        """
        deadline = self._clock.now() + timedelta(seconds=condition.within_seconds)
        metric = isinstance(condition.probe, MetricProbe)
        pause, since = METRIC_PAUSE if metric else FIRST_PAUSE, None
        while True:
            seen = self.ask(condition.probe, service, parameters)
            now = self._clock.now()
            held = seen.status is EvidenceStatus.OK and passes(condition.expect, seen.value)
            since = (since or now) if held else None
            until = since + timedelta(seconds=condition.for_seconds) if since else deadline
            left = (until - now).total_seconds()
            if left <= 0 or seen.status is EvidenceStatus.NOT_CONFIGURED:
                return held, seen.model_copy(update={"held_since": since})
            self._clock.sleep(min(pause, left))
            pause = min(2 * pause, LONGEST_PAUSE)

    def _missing(self, probe: Probe, why: str) -> Evidence:
        return Evidence(
            id="",
            source=probe.kind,
            query=_query(probe),
            status=EvidenceStatus.NOT_CONFIGURED,
            detail=why,
            observed_at=self._clock.now(),
        )


def _query(probe: Probe) -> str:
    for field in ("query", "sql", "operation", "reading"):
        text = getattr(probe, field, None)
        if text is not None:
            return str(text)[:2000]
    return " ".join(getattr(probe, "argv", ()))[:2000]
