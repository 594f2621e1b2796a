"""The scout of functions that hold no credentials: it asks the function that holds them."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from pydantic import ValidationError

from incident_squad.adapters.aws import translated
from incident_squad.contracts import (
    PreviewStepInput,
    PreviewStepOutput,
    QueryMetricsInput,
    QueryMetricsOutput,
)
from incident_squad.domain.errors import (
    InvalidParameter,
    SquadError,
    TransientFailure,
    UnknownIncident,
    UnknownRunbook,
)
from incident_squad.domain.metric import MetricQuestion, MetricResult
from incident_squad.domain.plan import PlannedStep

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

PATIENCE = Config(connect_timeout=2, read_timeout=15, retries={"total_max_attempts": 1})
"""The other function may start cold and look at a slow system; a look is not repeated unasked."""

_RAISED: Mapping[str, Callable[[str], SquadError]] = {
    error.__name__: error for error in (InvalidParameter, UnknownIncident, UnknownRunbook)
}


class LambdaScout:
    """Implements `Scout` by the functions `preview_step` and `query_metrics`."""

    def __init__(self, client: "LambdaClient", prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def preview(
        self, runbook_id: str, step_index: int, *, incident_id: str | None, service: str | None
    ) -> PlannedStep:
        """Ask for the preview; raises what the function raised, or TransientFailure."""
        asked = PreviewStepInput(
            runbook_id=runbook_id, step_index=step_index, incident_id=incident_id, service=service
        )
        answer = self._call("preview_step", asked.model_dump(mode="json", by_alias=True))
        try:
            return PreviewStepOutput.model_validate(answer).step
        except ValidationError as error:
            raise TransientFailure("the preview was not understood") from error

    def measure(self, question: MetricQuestion) -> MetricResult:
        """Ask for the measure; raises what the function raised, or TransientFailure."""
        asked = QueryMetricsInput(question=question)
        answer = self._call("query_metrics", asked.model_dump(mode="json", by_alias=True))
        try:
            return QueryMetricsOutput.model_validate(answer).result
        except ValidationError as error:
            raise TransientFailure("the answer about metrics was not understood") from error

    def _call(self, name: str, payload: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        with translated(f"asking {name}"):
            answer = self._client.invoke(
                FunctionName=f"{self._prefix}{name}", Payload=json.dumps(payload).encode()
            )
        said = json.loads(answer["Payload"].read())
        if not answer.get("FunctionError"):
            return said
        made = _RAISED.get(str(said.get("errorType", "")))
        if made is not None:
            raise made(str(said.get("errorMessage", "")))
        raise TransientFailure(f"{name} gave no answer: {said.get('errorType')}")
