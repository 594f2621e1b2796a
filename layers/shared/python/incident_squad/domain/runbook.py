"""Runbooks: what may be looked at and what may be done, as data.

A runbook is a closed set. Parameters reach a system only as typed values: SQL parameters, whole
JSON values, whole arguments. A reference is a string that is nothing but `$name`: `$name` is one of
the step's parameters, `$preview.column` a column (a list) of the previewed rows, `$result.key` a
key of what the step's own apply returned (for its undo and verify). In SQL the same names are
written `%(name)s`, `%(preview_column)s` and `%(result_key)s`. An HTTP body takes single values:
there `$preview.column` is the value in the one row that the preview operation gave.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from incident_squad.domain.metric import Aggregation, MetricSource
from incident_squad.domain.values import IncidentType, Risk, Value

LONGEST_WAIT = 900
"""Seconds that a condition may take: a Lambda function runs no longer."""

ParameterValue = bool | int | float | str
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]


class Expect(Value):
    """A comparison that an observed value must pass.

    `field` names a number among the `fields` of the probe's target that counts in place of `value`.
    """

    op: Literal["==", "!=", "<", "<=", ">", ">="]
    value: ParameterValue
    field: Name | None = None


class ParameterType(StrEnum):
    """The types that a parameter can have; each has its own validation."""

    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"
    BOOLEAN = "boolean"
    IP = "ip"
    EMAIL = "email"
    HOSTNAME = "hostname"
    URL = "url"
    ACCESS_KEY = "access_key"
    INSTANCE = "instance"


class Parameter(Value):
    """One typed parameter of a step.

    `source` says where the value comes from when nobody chooses it: `alert.ip`, `alert.host`,
    `alert.access_key`, `alert.instance`, `service`, `target.<field>`; without a source and a
    default a human must give it. A string needs `choices` or `pattern`, so that no free text
    reaches a system.
    """

    type: ParameterType
    description: str
    default: ParameterValue | None = None
    source: str | None = None
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str | None = None

    @model_validator(mode="after")
    def _bounded(self) -> "Parameter":
        if self.type is ParameterType.STRING and not (self.choices or self.pattern):
            message = "a string parameter needs choices or a pattern"
            raise ValueError(message)
        if self.type in {ParameterType.INTEGER, ParameterType.NUMBER} and (
            self.min is None or self.max is None
        ):
            message = "a number needs min and max"
            raise ValueError(message)
        return self


class SqlProbe(Value):
    """A read-only query; the value is the first column of the first row.

    PgBouncer's console can't select, so `column` takes the largest value of a named column
    instead, of the rows whose columns have the texts of `where`.
    """

    kind: Literal["sql"]
    target: Name
    sql: str
    column: str | None = None
    where: dict[str, str] = Field(default_factory=dict)


class HttpProbe(Value):
    """A GET of an operation that the target declares; `pointer` (RFC 6901) selects the value."""

    kind: Literal["http"]
    target: Name
    operation: Name
    pointer: str = ""


class MetricProbe(Value):
    """A metric query; `query` may hold `{service}` and `{target.<field>}` of the catalogue.

    `aggregation` makes one value of the last `window_minutes`; 0 asks for the newest value alone.
    """

    kind: Literal["metric"]
    source: MetricSource
    query: str
    aggregation: Aggregation = "avg"
    window_minutes: int = Field(default=15, ge=0, le=1440)


class CommandProbe(Value):
    """A read-only program with its argument list on a declared ops host.

    The value is what it prints, or the first group of the first match of `pattern` in that.
    """

    kind: Literal["command"]
    target: Name
    argv: tuple[str, ...] = Field(min_length=1)
    pattern: str | None = None


class AwsProbe(Value):
    """A named reading of AWS (`waf_blocked`, ...); an argument is a literal or one `$name`."""

    kind: Literal["aws"]
    target: Name
    reading: Name
    arguments: dict[str, ParameterValue] = Field(default_factory=dict)


class K8sProbe(Value):
    """A named reading of a deployment (`ready`, `oom_kills`, ...); arguments as for AWS."""

    kind: Literal["k8s"]
    target: Name
    reading: Name
    arguments: dict[str, ParameterValue] = Field(default_factory=dict)


Probe = Annotated[
    SqlProbe | HttpProbe | MetricProbe | CommandProbe | AwsProbe | K8sProbe,
    Field(discriminator="kind"),
]


class Check(Value):
    """A diagnostic question. The first of its probes that can be asked gives the value.

    `means` says in one sentence what it means when `supports` holds.
    """

    id: Name
    title: str
    means: str
    probes: tuple[Probe, ...] = Field(min_length=1)
    supports: Expect
    contradicts: Expect | None = None


class Condition(Value):
    """A probe and what its answer must be.

    `within_seconds` allows time to get there; `for_seconds` says how long it must then hold at
    every look. Together they fit into the longest run of a function, 900 s.
    """

    title: str
    probe: Probe
    expect: Expect
    within_seconds: int = Field(default=0, ge=0, le=900)
    for_seconds: int = Field(default=0, ge=0, le=600)

    @model_validator(mode="after")
    def _in_time(self) -> "Condition":
        if self.within_seconds + self.for_seconds > LONGEST_WAIT:
            message = f"within_seconds and for_seconds may be {LONGEST_WAIT} s together"
            raise ValueError(message)
        return self


class SqlAction(Value):
    """`preview` lists (read-only) exactly what `apply` would change; both are parameterised.

    A step that mutates must have a preview; `apply` works on `%(preview_<column>)s` lists.
    `preview_settles` names the parameter that says for how many seconds trouble must have lasted:
    planning looks again for so long (20 s at most) while more would pass a smaller limit.
    """

    kind: Literal["sql"]
    target: Name
    preview: str | None = None
    preview_settles: Name | None = None
    apply: str


class HttpAction(Value):
    """A call of an operation that the target declares; `body` is JSON with whole-value `$name`s."""

    kind: Literal["http"]
    target: Name
    operation: Name
    body: dict[str, ParameterValue] = Field(default_factory=dict)
    preview_operation: Name | None = None


class AwsAction(Value):
    """A named action of the AWS executor (`waf_block_ip`, `cognito_reset_passwords`, ...)."""

    kind: Literal["aws"]
    target: Name
    action: Name
    arguments: dict[str, ParameterValue] = Field(default_factory=dict)


class SsmAction(Value):
    """A Systems Manager document, by name, with its parameters."""

    kind: Literal["ssm"]
    target: Name
    document: str
    arguments: dict[str, ParameterValue] = Field(default_factory=dict)


class K8sAction(Value):
    """A named Kubernetes action (`rollout_restart`, `rollout_undo`, `set_limits`, `scale`)."""

    kind: Literal["k8s"]
    target: Name
    action: Name
    arguments: dict[str, ParameterValue] = Field(default_factory=dict)


class CommandAction(Value):
    """An allow-listed program with its argument list; an argument is a literal or one `$name`."""

    kind: Literal["command"]
    target: Name
    argv: tuple[str, ...] = Field(min_length=1)


class ManualAction(Value):
    """Something that only a person can do; `instructions` say how."""

    kind: Literal["manual"]
    instructions: str


class NoteAction(Value):
    """Writes a line to the timeline and changes nothing else."""

    kind: Literal["note"]
    text: str


Action = Annotated[
    SqlAction
    | HttpAction
    | AwsAction
    | SsmAction
    | K8sAction
    | CommandAction
    | ManualAction
    | NoteAction,
    Field(discriminator="kind"),
]


class Undo(Value):
    """How a step is taken back: an action, or the reason why there is nothing to take back."""

    title: str
    action: Action | None = None


class StepCondition(StrEnum):
    """When a step is part of the repair."""

    ALWAYS = "always"
    RECURS = "recurs"


class Step(Value):
    """One step. `command` shows people the exact command, SQL or action.

    A mutating step has a precheck, a verify and an undo: it is a small transaction.
    """

    title: str
    command: str
    action: Action
    parameters: dict[Name, Parameter] = Field(default_factory=dict)
    mutates: bool = False
    risk: Risk = Risk.NONE
    when: StepCondition = StepCondition.ALWAYS
    precheck: Condition | None = None
    verify: Condition | None = None
    undo: Undo | None = None
    timeout_seconds: int = Field(default=30, ge=1, le=600)

    @property
    def kind(self) -> str:
        """The executor that runs this step."""
        return self.action.kind

    @model_validator(mode="after")
    def _transaction(self) -> "Step":
        automatic = self.kind not in {"manual", "note"}
        if self.mutates and automatic and not (self.precheck and self.verify and self.undo):
            message = f"step '{self.title}' mutates, so it needs precheck, verify and undo"
            raise ValueError(message)
        if self.mutates and self.risk is Risk.NONE:
            message = f"step '{self.title}' mutates, so its risk is low, medium or high"
            raise ValueError(message)
        settles = getattr(self.action, "preview_settles", None)
        if settles is not None and settles not in self.parameters:
            message = f"step '{self.title}' settles by '{settles}', which is not its parameter"
            raise ValueError(message)
        if isinstance(self.action, SqlAction) and self.mutates and not self.action.preview:
            message = f"step '{self.title}' changes a database, so it needs a preview"
            raise ValueError(message)
        return self


class Signals(Value):
    """What makes triage think of this runbook. The pattern language is in `policy/triage`.

    `says` are phrases that state this very failure, `hints` weaker ones, `metrics` names of
    metrics, alert rules and finding types (globs), `unless` phrases that speak against it.
    `symptom` marks what is felt whatever the fault is: a named cause goes before it.
    """

    says: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    symptom: bool = False


class Wording(Value):
    """Customer-safe phrases, by language (`en`, `fr`), without a full stop.

    They complete: `impact` "Customers may ..." / "Les clients peuvent ...", `looking_into` "We are
    looking into ..." / "Nous examinons ...", `cause` "The cause: ..." / "La cause : ...", `fix`
    "We are ..." / "Nous travaillons à ...".
    """

    impact: dict[str, str]
    looking_into: dict[str, str]
    cause: dict[str, str]
    fix: dict[str, str]


class Runbook(Value):
    """A runbook file: front matter plus the prose for people (`guide`, Markdown).

    `type` is None for the general runbooks (false alarm, unclear failure), which fit any type.
    `recovery` says when the symptom itself is gone. `undo_when_not_recovered` takes the steps back
    that have an undo when it does not go: for a fix that does harm where it does not help.
    `digest` is the SHA-256 of the file, `path` where it stands in the folder of runbooks.
    """

    name: Name
    title: str
    description: str
    type: IncidentType | None
    signals: Signals = Signals()
    checks: tuple[Check, ...] = ()
    steps: tuple[Step, ...] = Field(min_length=1)
    recovery: tuple[Condition, ...] = ()
    undo_when_not_recovered: bool = False
    estimated_time: str = Field(alias="estimatedTime", pattern=r"\d")
    root_cause: str = Field(alias="rootCause")
    customer: Wording
    guide: str = ""
    digest: str = ""
    path: str = ""
