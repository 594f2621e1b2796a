"""The scout asks another function: what it sends, and what each answer means."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.response import StreamingBody

from incident_squad.adapters.lambda_scout import PATIENCE, LambdaScout
from incident_squad.domain.errors import (
    InvalidConfiguration,
    InvalidParameter,
    SquadError,
    TransientFailure,
    UnknownIncident,
    UnknownRunbook,
)
from incident_squad.domain.metric import MetricQuestion
from incident_squad.domain.plan import PlannedStep
from tests.builders import a_planned_step
from tests.integration.stubs import scripted

ASKED = {"runbookId": "pool", "stepIndex": 1, "incidentId": None, "service": "orders"}


def said(content: object, **more: Any) -> dict[str, Any]:
    body = json.dumps(content).encode()
    return {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(body), len(body)), **more}


def preview(scout: LambdaScout) -> PlannedStep:
    return scout.preview("pool", 1, incident_id=None, service="orders")


def test_a_preview_is_asked_of_the_function_and_read() -> None:
    step = a_planned_step()
    sent = {"FunctionName": "Squad-preview_step", "Payload": json.dumps(ASKED).encode()}
    with scripted("lambda") as (client, script):
        script.add_response("invoke", said({"step": step.model_dump(mode="json")}), sent)
        assert preview(LambdaScout(client, "Squad-")) == step


def measure(scout: LambdaScout) -> object:
    return scout.measure(MetricQuestion(source="prometheus", query="up"))


@pytest.mark.parametrize("ask", [preview, measure])
@pytest.mark.parametrize("kind", [InvalidParameter, UnknownIncident, UnknownRunbook])
def test_what_the_caller_may_mend_keeps_its_name_and_words(
    ask: Callable[[LambdaScout], object], kind: type[SquadError]
) -> None:
    raised = {"errorType": kind.__name__, "errorMessage": "the reason"}
    with scripted("lambda") as (client, script):
        script.add_response("invoke", said(raised, FunctionError="Unhandled"))
        with pytest.raises(kind, match="the reason"):
            ask(LambdaScout(client, "Squad-"))


@pytest.mark.parametrize("ask", [preview, measure])
@pytest.mark.parametrize("name", ["Sandbox.Timedout", "KeyError", "InvalidConfiguration", None])
def test_what_goes_wrong_inside_is_not_told(
    ask: Callable[[LambdaScout], object], name: str | None
) -> None:
    raised = {"errorType": name, "errorMessage": "secret inside"}
    with scripted("lambda") as (client, script):
        script.add_response("invoke", said(raised, FunctionError="Unhandled"))
        with pytest.raises(TransientFailure) as failed:
            ask(LambdaScout(client, "Squad-"))
    assert "secret inside" not in str(failed.value)


@pytest.mark.parametrize("ask", [preview, measure])
@pytest.mark.parametrize("answer", [{}, None, [], {"step": {"title": 1}}])
def test_an_answer_that_is_none_may_be_asked_for_again(
    ask: Callable[[LambdaScout], object], answer: object
) -> None:
    with scripted("lambda") as (client, script):
        script.add_response("invoke", said(answer))
        with pytest.raises(TransientFailure, match="not understood"):
            ask(LambdaScout(client, "Squad-"))


@pytest.mark.parametrize(
    ("code", "kind"),
    [("TooManyRequestsException", TransientFailure), ("AccessDenied", InvalidConfiguration)],
)
def test_trouble_on_the_way_is_named(code: str, kind: type[SquadError]) -> None:
    with scripted("lambda") as (client, script):
        script.add_client_error("invoke", code, http_status_code=400)
        with pytest.raises(kind):
            preview(LambdaScout(client, "Squad-"))


def test_waiting_ends_before_the_intakes_own_time_is_over() -> None:
    assert PATIENCE.read_timeout == 15  # type: ignore[attr-defined]
    assert PATIENCE.retries == {"total_max_attempts": 1}  # type: ignore[attr-defined]
