"""Building blocks of the workflow: tasks by contract, their retries and where errors go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration, Token
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from incident_squad.contracts import Contract
from incident_squad.domain.errors import TargetUnavailable, TransientFailure
from infra.functions import FUNCTIONS

THROTTLED = ("Lambda.TooManyRequestsException",)
SERVICE = (
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.Unknown",
)
OURS = (TransientFailure.__name__, TargetUnavailable.__name__)

RESULT = "$states.result.Payload"
ERROR = "{% $states.errorOutput %}"
NOTHING = "{% null %}"  # a JSON null would be lost on the way through the CDK

# Lambda's own limit must strike first: its error says more than the state's timeout.
_GRACE = 5


def variable(name: str) -> str:
    """An expression that gives a workflow variable."""
    return f"{{% ${name} %}}"


def result(*names: str, of: str = RESULT) -> dict[str, str]:
    """Variables named after the fields of a state's result."""
    return {name: f"{{% {of}.{name} %}}" for name in names}


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Which errors are worth another try, and how many."""

    errors: Sequence[str]
    attempts: int
    seconds: int = 1
    longest: int = 30


PATIENT = (
    Retry(errors=THROTTLED, attempts=6),
    Retry(errors=SERVICE, attempts=3),
    Retry(errors=OURS, attempts=3),
)
"""For states that may run twice without harm: all but a step of the fix."""

ONCE = (Retry(errors=THROTTLED, attempts=6),)
"""For a step of the fix: a throttled call has certainly not begun."""

STUBBORN = (Retry(errors=("States.ALL",), attempts=8, seconds=2, longest=60),)
"""For the last resort."""


Catching = sfn.TaskStateBase | sfn.Map | sfn.Parallel


@dataclass(frozen=True)
class Trouble:
    """Where errors go: a state, which finds `reason` and `error` in variables."""

    handler: sfn.IChainable

    def catch(self, state: Catching, what: str, *, errors: Sequence[str] = ("States.ALL",)) -> None:
        """Send errors of the state to the handler; the reason starts with the state's name.

        Catchers count in the order in which they are added: the one for all comes last.
        """
        state.add_catch(
            self.handler,
            errors=list(errors),
            assign={"reason": f"{state.state_id}: {what}", "error": ERROR},
        )


class States:
    """Makes states by the contracts; folder, function, use case and state share one name."""

    def __init__(self, scope: Construct, functions: Mapping[str, lambda_.IFunction]) -> None:
        self.scope = scope
        self._functions = functions
        self._seconds = {row.name: row.seconds for row in FUNCTIONS}

    def task(  # noqa: PLR0913 - what a task is, all by keyword
        self,
        name: str,
        *,
        function: str,
        takes: type[Contract],
        comment: str,
        given: Mapping[str, str] | None = None,
        assign: Mapping[str, str] | None = None,
        retry: Sequence[Retry] = PATIENT,
    ) -> tasks.LambdaInvoke:
        """A task that calls a function.

        Every field of `takes` comes from the variable of its name unless `given` says otherwise.
        """
        state = tasks.LambdaInvoke.jsonata(
            self.scope,
            name,
            comment=comment,
            lambda_function=self._functions[function],
            payload=_payload(takes, given or {}),
            assign=assign,
            outputs=f"{{% {RESULT} %}}",
            task_timeout=sfn.Timeout.duration(Duration.seconds(self._seconds[function] + _GRACE)),
            retry_on_service_exceptions=False,
        )
        return _with_retries(state, retry)

    def wait_for_human(
        self, name: str, *, function: str, takes: type[Contract], comment: str
    ) -> tasks.LambdaInvoke:
        """A task that hands out its token and waits, no longer than `approvalSeconds`."""
        state = tasks.LambdaInvoke.jsonata(
            self.scope,
            name,
            comment=comment,
            lambda_function=self._functions[function],
            payload=_payload(takes, {"taskToken": "{% $states.context.Task.Token %}"}),
            integration_pattern=sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
            assign=result("decision", of="$states.result"),
            task_timeout=_expression_timeout(variable("approvalSeconds")),
            retry_on_service_exceptions=False,
        )
        return _with_retries(state, PATIENT)

    def choice(
        self, question: str, *, comment: str, otherwise: Mapping[str, str] | None = None
    ) -> sfn.Choice:
        """A choice, named as a question; `otherwise` are variables set when no rule holds."""
        return sfn.Choice.jsonata(self.scope, question, comment=comment, assign=otherwise)


def equals(name: str, *values: str) -> sfn.Condition:
    """The variable or path is one of these texts."""
    return sfn.Condition.jsonata(
        "{% " + " or ".join(f"${name} = '{value}'" for value in values) + " %}"
    )


def _expression_timeout(expression: str) -> sfn.Timeout:
    # `Timeout.at` writes JSONPath's TimeoutSecondsPath, which JSONata states must not have.
    return sfn.Timeout.duration(Duration.seconds(Token.as_number(expression)))


def _payload(takes: type[Contract], given: Mapping[str, str]) -> sfn.TaskInput:
    aliases = [field.alias or name for name, field in takes.model_fields.items()]
    return sfn.TaskInput.from_object(
        {alias: given.get(alias, variable(alias)) for alias in aliases}
    )


def _with_retries(state: tasks.LambdaInvoke, retries: Sequence[Retry]) -> tasks.LambdaInvoke:
    for retry in retries:
        state.add_retry(
            errors=list(retry.errors),
            interval=Duration.seconds(retry.seconds),
            backoff_rate=2,
            max_attempts=retry.attempts,
            max_delay=Duration.seconds(retry.longest),
            jitter_strategy=sfn.JitterType.FULL,
        )
    return state
