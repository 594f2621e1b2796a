"""The whole examination: catalogue, secrets, every target and every source of metrics."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from incident_squad.adapters.aws_actions.place import Clients
from incident_squad.adapters.aws_clients import LazyClients
from incident_squad.adapters.k8s_api import Clusters, EksClusters
from incident_squad.adapters.memory import MemorySecrets
from incident_squad.adapters.metrics.telemetry import CatalogTelemetry
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.domain.catalog import Catalog, HttpTarget, PostgresTarget, Target
from incident_squad.domain.metric import MetricQuery, MetricSource, MetricStatus, TimeRange
from incident_squad.domain.targets import AwsTarget, CommandTarget, K8sTarget, SsmTarget
from incident_squad.ports import Knowledge
from infra.local.config import LocalConfig
from infra.local.doctor.clouds import examine_aws, examine_ssm
from infra.local.doctor.clusters import examine_k8s
from infra.local.doctor.databases import examine_sql
from infra.local.doctor.finding import Found, good, mend, note
from infra.local.doctor.hooks import examine_http
from infra.local.doctor.hosts import examine_command
from infra.local.doctor.roles import Roles, examine_roles
from infra.local.knowledge import knowledge_of

_QUESTIONS: dict[MetricSource, str] = {
    "prometheus": "vector(1)",
    "datadog": "avg:datadog.agent.running{*}",
    "pagerduty": "incidents status=triggered",
}
_ANSWERED = {MetricStatus.OK, MetricStatus.NO_DATA}


@dataclass(frozen=True)
class Eyes:
    """How clouds and clusters are looked at; `roles` are those of a deployed stack."""

    clients: Clients
    clusters: Clusters
    roles: Roles | None = None

    @classmethod
    def of(cls, stack: str | None) -> "Eyes":
        """With the credentials of whoever asks; raises what AWS says of the stack."""
        clients = LazyClients()
        roles = Roles.of(stack, clients) if stack else None
        return cls(clients, EksClusters(clients), roles)


def examine(config: LocalConfig, eyes: Eyes | None = None) -> list[Found]:
    """All that there is to say; raises what a wrong catalogue raises."""
    knowledge = knowledge_of(config)
    found = list(_targets(knowledge.catalog, config, eyes or Eyes.of(None)))
    found += _metrics(knowledge, config)
    return found


def _targets(catalog: Catalog, config: LocalConfig, eyes: Eyes) -> Iterator[Found]:
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
            yield from _cloud(name, target, eyes)
            if eyes.roles is not None:
                yield from examine_roles(name, catalog, eyes.roles)
        if not any(name in service.targets.values() for service in catalog.services.values()):
            yield mend(name, "is the target of no service: name it under services.<name>.targets")


def _cloud(name: str, target: Target, eyes: Eyes) -> Iterator[Found]:
    match target:
        case AwsTarget():
            yield from examine_aws(name, target, eyes.clients)
        case SsmTarget():
            yield from examine_ssm(name, target, eyes.clients)
        case K8sTarget():
            yield from examine_k8s(name, target, eyes.clusters)
        case CommandTarget():
            yield from examine_command(name, target, eyes.clients)


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
