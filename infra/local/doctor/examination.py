"""The whole examination: catalogue, secrets, every target and every source of metrics."""

from collections.abc import Iterator
from datetime import timedelta

from incident_squad.adapters.memory import MemorySecrets
from incident_squad.adapters.metrics.telemetry import CatalogTelemetry
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.domain.catalog import Catalog, HttpTarget, PostgresTarget
from incident_squad.domain.metric import MetricQuery, MetricSource, MetricStatus, TimeRange
from incident_squad.ports import Knowledge
from infra.local.config import LocalConfig
from infra.local.doctor.databases import examine_sql
from infra.local.doctor.finding import Found, good, mend, note
from infra.local.doctor.hooks import examine_http
from infra.local.knowledge import knowledge_of

_QUESTIONS: dict[MetricSource, str] = {
    "prometheus": "vector(1)",
    "datadog": "avg:datadog.agent.running{*}",
    "pagerduty": "incidents status=triggered",
}
_ANSWERED = {MetricStatus.OK, MetricStatus.NO_DATA}


def examine(config: LocalConfig) -> list[Found]:
    """All that there is to say; raises what a wrong catalogue raises."""
    knowledge = knowledge_of(config)
    found = list(_targets(knowledge.catalog, config))
    found += _metrics(knowledge, config)
    return found


def _targets(catalog: Catalog, config: LocalConfig) -> Iterator[Found]:
    """Targets of the configuration's own and those that it gives a secret for."""
    own = config.catalog.get("targets") or {}
    for name, target in catalog.targets.items():
        given = {target.reader, target.writer} & set(config.secrets)
        if name not in own and not given:
            continue
        if isinstance(target, PostgresTarget):
            yield from examine_sql(name, target, config.secrets)
        elif isinstance(target, HttpTarget):
            yield from examine_http(name, target, config.secrets)
        else:
            yield note(name, f"acts with the role of the deployed functions ({target.kind}): "
                             "not examined from here")  # fmt: skip
        if not any(name in service.targets.values() for service in catalog.services.values()):
            yield mend(name, "is the target of no service: name it under services.<name>.targets")


def _metrics(knowledge: Knowledge, config: LocalConfig) -> Iterator[Found]:
    telemetry = CatalogTelemetry(knowledge, MemorySecrets(config.secrets), SystemClock())
    now = SystemClock().now()
    for source, question in _QUESTIONS.items():
        if getattr(knowledge.catalog.metrics, source) is None:
            continue
        lately = TimeRange(start=now - timedelta(minutes=5), end=now)
        answer = telemetry.query(
            MetricQuery(source=source, query=question, time_range=lately, latest=True)
        )
        if answer.status in _ANSWERED:
            yield good(f"metrics.{source}", "answers queries")
        else:
            yield mend(f"metrics.{source}", f"{answer.status.value}: {answer.message}")
    if knowledge.catalog.metrics.cloudwatch is not None:
        yield note("metrics.cloudwatch", "is read with the role of the deployed functions: "
                                         "not examined from here")  # fmt: skip
