"""What the catalogue's cloud targets ask of the functions' roles: actions, and for which resource.

Nothing is granted for a resource that the catalogue does not name. Those who look get what a
preview and a probe ask; only Remediate and its undo get what an act asks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from incident_squad.domain.catalog import Catalog
from incident_squad.domain.targets import (
    AwsTarget,
    CommandTarget,
    EcsService,
    K8sTarget,
    LambdaAlias,
    Quarantine,
    SignInLog,
    SsmTarget,
    WafResource,
)
from incident_squad.policy.aws_actions import ACTIONS, Grant
from infra.functions import May

SHELL_DOCUMENT = "AWS-RunShellScript"
OWNED_BY_AWS = ("AWS-", "AWSSupport-", "AWSConfigRemediation-", "Amazon")
CLOUDFRONT_REGION = "us-east-1"


@dataclass(frozen=True, order=True)
class Resource:
    """The parts of an ARN. Without a `service` it stands for `*`; `region` None is the stack's."""

    service: str = ""
    name: str = "*"
    region: str | None = None
    account: bool = True

    @property
    def open(self) -> bool:
        """Whether it names more than one thing."""
        return "*" in self.name


@dataclass(frozen=True)
class TargetGrant:
    """Actions on resources, for the functions that may look or for those that may act."""

    may: May
    actions: tuple[str, ...]
    resources: tuple[Resource, ...]


def target_grants(catalog: Catalog) -> tuple[TargetGrant, ...]:
    """All grants of a catalogue, each once: first those for looking."""
    found: dict[tuple[May, tuple[str, ...]], set[Resource]] = {}
    for target in catalog.targets.values():
        for grant in _of_target(target):
            found.setdefault((grant.may, grant.actions), set()).update(grant.resources)
    order = sorted(found, key=lambda key: (key[0] is May.ACT, key[1]))
    return tuple(TargetGrant(*key, tuple(sorted(found[key], key=str))) for key in order)


def _of_target(target: object) -> Iterator[TargetGrant]:
    if isinstance(target, AwsTarget):
        yield from _of_aws(target)
    elif isinstance(target, SsmTarget):
        yield from _of_ssm(target)
    elif isinstance(target, K8sTarget):
        cluster = Resource("eks", f"cluster/{target.cluster}", target.region)
        yield TargetGrant(May.LOOK, ("eks:DescribeCluster",), (cluster,))
    elif isinstance(target, CommandTarget) and target.instance is not None:
        yield from _sending(SHELL_DOCUMENT, (target.instance,), target.region)
        yield _anywhere("ssm:GetCommandInvocation")


def _of_aws(target: AwsTarget) -> Iterator[TargetGrant]:
    for spec in ACTIONS.values():
        if not all(getattr(target, field) for field in spec.needs):
            continue
        for grants, may in ((spec.looks, May.LOOK), (spec.acts, May.ACT)):
            yield from (_granted(target, grant, may) for grant in grants)


def _granted(target: AwsTarget, grant: Grant, may: May) -> TargetGrant:
    return TargetGrant(may, grant.actions, tuple(_resources(target, grant.on)))


def _resources(target: AwsTarget, field: str) -> Iterator[Resource]:
    region = target.region
    if field == "*":
        yield Resource()
        return
    if field == "ecs_deployments":
        ecs = target.ecs
        if ecs is not None:
            yield Resource("ecs", f"service-deployment/{ecs.cluster}/{ecs.service}/*", region)
        return
    value = getattr(target, field)
    names = value if isinstance(value, tuple) else (value,)
    for name in names:
        yield from _named(field, name, region)


def _named(field: str, name: object, region: str | None) -> Iterator[Resource]:
    match name:
        case WafResource():
            everywhere = name.scope == "CLOUDFRONT"
            kind = "ipset" if field == "ip_set" else "rulegroup"
            where = f"{'global' if everywhere else 'regional'}/{kind}/{name.name}/{name.id}"
            yield Resource("wafv2", where, CLOUDFRONT_REGION if everywhere else region)
        case SignInLog():
            yield Resource("logs", f"log-group:{name.group}", region)
            yield Resource("logs", f"log-group:{name.group}:*", region)
        case EcsService():
            yield Resource("ecs", f"service/{name.cluster}/{name.service}", region)
        case LambdaAlias():
            yield Resource("lambda", f"function:{name.name}", region)
        case Quarantine():
            yield Resource("ec2", f"security-group/{name.group}", region)
            for instance in name.instances:
                yield Resource("ec2", f"instance/{instance}", region)
        case _:
            yield _plain(field, str(name), region)


def _plain(field: str, name: str, region: str | None) -> Resource:
    if field in {"iam_users", "iam_roles"}:
        return Resource("iam", f"{field.removeprefix('iam_').rstrip('s')}/{name}", "")
    service, kind = {
        "user_pool": ("cognito-idp", "userpool/"),
        "db_cluster": ("rds", "cluster:"),
        "db_instances": ("rds", "db:"),
    }[field]
    return Resource(service, f"{kind}{name}", region)


def _of_ssm(target: SsmTarget) -> Iterator[TargetGrant]:
    for name, document in target.documents.items():
        if document.type == "command":
            yield from _sending(name, document.instances, target.region)
            continue
        definition = Resource(
            "ssm", f"automation-definition/{name}:*", target.region, account=not _of_amazon(name)
        )
        execution = Resource("ssm", "automation-execution/*", target.region)
        yield TargetGrant(May.ACT, ("ssm:StartAutomationExecution",), (definition,))
        yield TargetGrant(May.ACT, ("ssm:GetAutomationExecution",), (execution,))


def _sending(
    document: str, instances: tuple[str, ...], region: str | None
) -> Iterator[TargetGrant]:
    # Whoever may send a command may run anything there: never those who only look.
    named = Resource("ssm", f"document/{document}", region, account=not _of_amazon(document))
    machines = (Resource("ec2", f"instance/{instance}", region) for instance in instances)
    yield TargetGrant(May.ACT, ("ssm:SendCommand",), (named, *machines))
    yield _anywhere("ssm:ListCommandInvocations", "ssm:ListCommands")


def _anywhere(*actions: str) -> TargetGrant:
    """AWS gives these actions no resource, or none that is known before."""
    return TargetGrant(May.ACT, actions, (Resource(),))


def _of_amazon(document: str) -> bool:
    return document.startswith(OWNED_BY_AWS)
