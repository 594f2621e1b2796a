"""Runs the synthesised state machine in this process, with moto's interpreter.

The one module that knows moto's private names: moto ships without a JSONata evaluator, and calls
Lambda over boto3. Both are bridged here, and a rename in moto stops every test at `_bridged`.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3
import jsonata
import pytest
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.jsonata import jsonata as evaluator

from incident_squad.domain.errors import SquadError

REGION = "us-east-1"
ROLE = "arn:aws:iam::123456789012:role/machine"
PATIENCE_SECONDS = 20.0

Payload = dict[str, Any]
Call = Callable[[str, Payload], Any]


@dataclass
class Run:
    """How an execution went: its end, the states it entered and what functions were given."""

    status: str
    states: list[str]
    calls: list[tuple[str, Payload]] = field(default_factory=list)
    error: str | None = None

    @property
    def ended_in(self) -> str:
        """The last state that was entered."""
        return self.states[-1]

    def given(self, function: str) -> list[Payload]:
        """What a function was called with, each time."""
        return [payload for name, payload in self.calls if name == function]


def function_arn(name: str) -> str:
    """What stands for a function in the definition."""
    return f"arn:aws:lambda:{REGION}:123456789012:function:{name}"


class Interpreter:
    """One state machine; `run` starts an execution and waits for its end."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self._client = boto3.client("stepfunctions", region_name=REGION)
        machine = self._client.create_state_machine(
            name="squad", definition=json.dumps(definition), roleArn=ROLE
        )
        self._arn = machine["stateMachineArn"]
        self._calls: list[tuple[str, Payload]] = []
        self._started = 0
        self._call: Call = _unscripted

    def run(self, call: Call, given: Mapping[str, Any]) -> Run:
        """Execute with `call` in the place of all functions."""
        self._call, self._calls, self._started = call, [], self._started + 1
        arn = self._client.start_execution(
            stateMachineArn=self._arn, name=f"run-{self._started}", input=json.dumps(given)
        )["executionArn"]
        end = time.monotonic() + PATIENCE_SECONDS
        while (found := self._client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            if time.monotonic() > end:
                raise TimeoutError(f"still running after {self._calls}")
            time.sleep(0.005)
        return Run(found["status"], self._entered(arn), self._calls, found.get("error"))

    def decide(self, task_token: str, output: Mapping[str, Any]) -> None:
        """Answer a waiting task, as a decision does."""
        self._client.send_task_success(taskToken=task_token, output=json.dumps(output))

    def invoke(self, *, parameters: Mapping[str, Any], **_: object) -> Payload:
        """In the place of `lambda:Invoke`: answers as Lambda does, errors by class name."""
        name = parameters["FunctionName"].rpartition(":")[2]
        payload: Payload = json.loads(parameters["Payload"])
        self._calls.append((name, payload))
        answer: Payload = {"StatusCode": 200, "ExecutedVersion": "$LATEST"}
        try:
            return {**answer, "Payload": self._call(name, payload)}
        except SquadError as error:
            told = {"errorMessage": str(error), "errorType": type(error).__name__}
            return {**answer, "FunctionError": "Unhandled", "Payload": told}

    def _entered(self, arn: str) -> list[str]:
        history = self._client.get_execution_history(executionArn=arn, maxResults=1000)
        entered = (event.get("stateEnteredEventDetails") for event in history["events"])
        return [details["name"] for details in entered if details]


@contextmanager
def interpreting(definition: Mapping[str, Any]) -> Iterator[Interpreter]:
    """An interpreter of the definition, within moto's AWS."""
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        interpreter = Interpreter(definition)
        with _bridged(interpreter):
            yield interpreter


@contextmanager
def _bridged(interpreter: Interpreter) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as moto:
        moto.setattr(evaluator, "_eval_jsonata", _evaluate)
        moto.setattr(lambda_eval_utils, "_invoke_lambda_function", interpreter.invoke)
        # Retries keep their number and names; only their pauses are skipped.
        moto.setattr(retrier_decl, "time", SimpleNamespace(sleep=lambda _: None))
        yield


def _evaluate(expression: str) -> Any:
    try:
        return jsonata.Jsonata(expression).evaluate(None)
    except jsonata.JException as error:
        raise evaluator.JSONataException(error.error, str(error)) from error


def _unscripted(name: str, payload: Payload) -> Any:
    raise AssertionError(f"{name} was called with {payload} before a script was set")
