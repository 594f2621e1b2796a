"""Examines AWS and Systems Manager targets with the credentials of whoever asks: it only looks."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, NoCredentialsError, NoRegionError

from incident_squad.adapters.aws_actions.calls import Denied, Missing, look
from incident_squad.adapters.aws_actions.place import Clients
from incident_squad.domain.errors import TargetUnavailable
from incident_squad.domain.targets import AwsTarget, SsmTarget, WafResource
from infra.local.doctor.finding import Found, good, mend, note

Look = tuple[str, Callable[[], Any]]
CLOUDFRONT_REGION = "us-east-1"
_BLIND = (NoCredentialsError, NoRegionError)


def examine_aws(name: str, target: AwsTarget, clients: Clients) -> Iterator[Found]:
    """Whether every resource that the target names is there."""
    looks = [one for field in _LOOKS for one in _looks(field, target, clients)]
    if not looks:
        yield note(name, "names no resource of AWS, so no action could use it")
    yield from seen(name, looks)


def examine_ssm(name: str, target: SsmTarget, clients: Clients) -> Iterator[Found]:
    """Whether the documents are there, and whether the instances listen."""
    for document, about in target.documents.items():
        yield from seen(name, [_document(document, target.region, clients)])
        for instance in about.instances:
            yield from examine_instance(name, instance, target.region, clients)


def examine_instance(
    name: str, instance: str, region: str | None, clients: Clients
) -> Iterator[Found]:
    """Whether Systems Manager reaches an instance."""
    asked = {"Filters": [{"Key": "InstanceIds", "Values": [instance]}]}

    def ask() -> Any:  # noqa: ANN401 - boto3
        found = look("asking for it", clients("ssm", region).describe_instance_information, **asked)
        states = [one["PingStatus"] for one in found["InstanceInformationList"]]
        if states != ["Online"]:
            said = states[0] if states else "not managed by Systems Manager"
            raise Missing(f"its agent is {said}: start it and give the instance its profile")

    yield from seen(name, [(f"the instance {instance}", ask)])


def seen(name: str, looks: list[Look]) -> Iterator[Found]:
    """One finding for each look, and only one when nobody can look at all."""
    for what, ask in looks:
        try:
            ask()
        except (TargetUnavailable, BotoCoreError) as error:
            blind = _blind(error)
            if blind is not None:
                yield note(name, f"could not check {what}: {blind}")
                return
            yield _unseen(name, what, error)
        else:
            yield good(name, f"{what} is there")


def _blind(error: Exception) -> Exception | None:
    """Why nothing can be asked from here, when that is the reason."""
    found = [one for one in (error, error.__cause__) if isinstance(one, _BLIND)]
    return found[0] if found else None


def _unseen(name: str, what: str, error: Exception) -> Found:
    if isinstance(error, Missing):
        return mend(name, f"{what} is not there: {error}")
    if isinstance(error, Denied):
        return note(name, f"could not check {what}: you may not look ({error})")
    return mend(name, f"{what} cannot be seen: {error}")


def _looks(field: str, target: AwsTarget, clients: Clients) -> Iterator[Look]:
    value = getattr(target, field)
    if not value:
        return
    for one in value if isinstance(value, tuple) else (value,):
        what, service, call, sent = _LOOKS[field](one)
        region = target.region
        if isinstance(one, WafResource) and one.scope == "CLOUDFRONT":
            region = CLOUDFRONT_REGION
        yield what, _asking(clients, service, region, call, sent)


def _asking(
    clients: Clients, service: str, region: str | None, call: str, sent: Mapping[str, Any]
) -> Callable[[], Any]:
    def ask() -> Any:  # noqa: ANN401 - boto3
        answer = look("asking for it", getattr(clients(service, region), call), **sent)
        if answer.get("services") == [] or answer.get("logGroups") == []:
            raise Missing("AWS lists no such thing")
        return answer

    return ask


def _document(name: str, region: str | None, clients: Clients) -> Look:
    return f"the document {name}", _asking(
        clients, "ssm", region, "describe_document", {"Name": name}
    )


_Asked = tuple[str, str, str, dict[str, Any]]
_LOOKS: Mapping[str, Callable[[Any], _Asked]] = {
    "ip_set": lambda waf: (
        f"the IP set {waf.name}", "wafv2", "get_ip_set",
        {"Name": waf.name, "Scope": waf.scope, "Id": waf.id},
    ),
    "rate_limit": lambda waf: (
        f"the rule group {waf.name}", "wafv2", "get_rule_group",
        {"Name": waf.name, "Scope": waf.scope, "Id": waf.id},
    ),
    "user_pool": lambda pool: (
        f"the user pool {pool}", "cognito-idp", "describe_user_pool", {"UserPoolId": pool}
    ),
    "sign_in_log": lambda log: (
        f"the log group {log.group}", "logs", "describe_log_groups",
        {"logGroupNamePrefix": log.group, "limit": 1},
    ),
    "iam_users": lambda user: (
        f"the user {user}", "iam", "list_access_keys", {"UserName": user}
    ),
    "iam_roles": lambda role: (f"the role {role}", "iam", "get_role", {"RoleName": role}),
    "ecs": lambda ecs: (
        f"the service {ecs.service}", "ecs", "describe_services",
        {"cluster": ecs.cluster, "services": [ecs.service]},
    ),
    "function": lambda one: (
        f"the alias {one.alias} of the function {one.name}", "lambda", "get_alias",
        {"FunctionName": one.name, "Name": one.alias},
    ),
    "db_cluster": lambda cluster: (
        f"the cluster {cluster}", "rds", "describe_db_clusters", {"DBClusterIdentifier": cluster}
    ),
    "db_instances": lambda one: (
        f"the database {one}", "rds", "describe_db_instances", {"DBInstanceIdentifier": one}
    ),
    "quarantine": lambda one: (
        f"the group {one.group} and its instances", "ec2", "describe_instances",
        {"InstanceIds": list(one.instances)},
    ),
}  # fmt: skip
