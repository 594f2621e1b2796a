"""Targets beyond databases and HTTP: AWS resources, SSM documents, clusters and ops hosts.

A target is an allow-list: what it does not name cannot be touched, whatever a runbook, an alert
or a model says. The roles of the functions are made from the same names.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from incident_squad.domain.runbook import Name
from incident_squad.domain.values import Value

Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
InstanceId = Annotated[str, Field(pattern=r"^i-[0-9a-f]{8,17}$")]
ResourceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
IamName = Annotated[str, Field(pattern=r"^[A-Za-z0-9+=,.@_-]{1,64}$")]
DeploymentName = Annotated[
    str, Field(pattern=r"^(?:[a-z0-9][a-z0-9-]{0,62}/)?[a-z0-9][a-z0-9.-]{0,62}$")
]
Pattern = Annotated[str, Field(min_length=1, max_length=500)]


class _WithoutSecrets(Value):
    """These act with the role of the function, so they hold no credentials."""

    fields: dict[str, str | int | float] = Field(default_factory=dict)

    @property
    def reader(self) -> str | None:
        """No secret: the function's own role looks."""
        return None

    @property
    def writer(self) -> str | None:
        """No secret: the role of Remediate acts."""
        return None


class WafResource(Value):
    """An IP set or a rule group of AWS WAF; those of CloudFront live in us-east-1."""

    name: ResourceName
    id: str = Field(pattern=r"^[0-9a-f-]{36}$")
    scope: Literal["REGIONAL", "CLOUDFRONT"] = "REGIONAL"


class SignInLog(Value):
    """A CloudWatch log group with one JSON object a sign-in; the rest are JSON pointers into it.

    A sign-in counts as successful when `outcome` points at the text `success`. The last `hours`
    are read.
    """

    group: str = Field(pattern=r"^[A-Za-z0-9._/#-]{1,512}$")
    user: str = "/userName"
    address: str = "/ipAddress"
    outcome: str = "/eventResponse"
    success: str = "Pass"
    hours: int = Field(default=24, ge=1, le=168)


class EcsService(Value):
    """One service of one cluster; its task definitions have the name of `family`."""

    cluster: ResourceName
    service: ResourceName
    family: ResourceName


class LambdaAlias(Value):
    """One function and the alias that its callers use."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    alias: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")] = "live"


class Quarantine(Value):
    """A security group that lets nothing through, and the instances that may be put into it."""

    group: Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$")]
    instances: tuple[InstanceId, ...] = Field(min_length=1)


class AwsTarget(_WithoutSecrets):
    """Resources of AWS that play one role; an action needs those that it works on.

    `most_users` bounds how many accounts one step may touch.
    """

    kind: Literal["aws"]
    region: Region | None = None
    ip_set: WafResource | None = None
    rate_limit: WafResource | None = None
    user_pool: Annotated[str, Field(pattern=r"^[a-z0-9-]+_[A-Za-z0-9]+$")] | None = None
    sign_in_log: SignInLog | None = None
    most_users: int = Field(default=20, ge=1, le=500)
    iam_users: tuple[IamName, ...] = ()
    iam_roles: tuple[IamName, ...] = ()
    ecs: EcsService | None = None
    function: LambdaAlias | None = None
    db_cluster: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")] | None = None
    db_instances: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")], ...] = ()
    quarantine: Quarantine | None = None


class SsmDocument(Value):
    """A document that runbooks may run: Run Command on `instances`, or an Automation.

    `parameters` gives each parameter the pattern that its whole value must match.
    """

    type: Literal["command", "automation"]
    parameters: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,64}$")], Pattern] = Field(
        default_factory=dict
    )
    instances: tuple[InstanceId, ...] = ()
    mutates: bool = True

    @model_validator(mode="after")
    def _somewhere(self) -> "SsmDocument":
        if self.type == "command" and not self.instances:
            message = "a command document needs the instances that it runs on"
            raise ValueError(message)
        return self


class SsmTarget(_WithoutSecrets):
    """Documents of Systems Manager by name; no other document is ever run."""

    kind: Literal["ssm"]
    region: Region | None = None
    documents: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{3,128}$")], SsmDocument]


class K8sTarget(_WithoutSecrets):
    """Deployments of an EKS cluster: `name` in `namespace`, or `other-namespace/name`.

    `most_replicas` and `most_memory_mib` (of one container) bound what a step may set.
    """

    kind: Literal["k8s"]
    cluster: Annotated[str, Field(pattern=r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$")]
    region: Region | None = None
    namespace: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")] = "default"
    deployments: tuple[DeploymentName, ...] = Field(min_length=1)
    most_replicas: int = Field(default=20, ge=1, le=1000)
    most_memory_mib: int = Field(default=8192, ge=16, le=1_048_576)


class HostCommand(Value):
    """One program that may be run. Each argument must match its pattern as a whole, in order.

    `preview` names a command of the same target that only looks: what it prints is shown to the
    approver. It is given the same arguments.
    """

    path: str = Field(pattern=r"^/[A-Za-z0-9._/-]{1,254}$")
    arguments: tuple[Pattern, ...] = ()
    mutates: bool = False
    preview: Name | None = None


class CommandTarget(_WithoutSecrets):
    """Programs of an ops host, by name: on this machine (`local`) or on an instance by SSM.

    By SSM only the role of Remediate can run them, so probes see them in steps alone.
    """

    kind: Literal["command"]
    where: Literal["local", "ssm"] = "local"
    region: Region | None = None
    instance: InstanceId | None = None
    commands: dict[Name, HostCommand] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> "CommandTarget":
        if (self.where == "ssm") != (self.instance is not None):
            message = "an ops host by ssm needs its instance, and a local one has none"
            raise ValueError(message)
        if self.where == "ssm" and any(one.preview for one in self.commands.values()):
            # Whoever may send a command may send any: those who only look must not.
            message = "an ops host by ssm has no previews: only Remediate may run something there"
            raise ValueError(message)
        for name, command in self.commands.items():
            shown = self.commands.get(command.preview or name)
            if command.preview and (shown is None or shown.mutates):
                message = f"the preview of '{name}' must be a command here that does not mutate"
                raise ValueError(message)
        return self
