"""Small state machines and functions on a bare emulator."""

import io
import json
import time
import uuid
import zipfile
from dataclasses import dataclass
from typing import Any

from infra.local.clients import Clients

ROLE = "arn:aws:iam::000000000000:role/any"
INVOKE = "arn:aws:states:::lambda:invoke"
END = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


@dataclass(frozen=True)
class Outcome:
    """How an execution ended; `seconds` is how long it took."""

    arn: str
    status: str
    output: Any
    error: str | None
    seconds: float


class Workbench:
    """Creates and runs things on the emulator."""

    def __init__(self, aws: Clients) -> None:
        self.aws = aws

    def function(self, source: str, *, timeout: int = 20) -> str:
        """A Lambda whose module holds `source` with a function `handle`; gives its name."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("code_under_test.py", source)
        name = f"f{uuid.uuid4().hex[:10]}"
        self.aws.functions.create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role=ROLE,
            Handler="code_under_test.handle",
            Code={"ZipFile": packed.getvalue()},
            Timeout=timeout,
        )
        return name

    def machine(self, states: dict[str, Any], **top: Any) -> str:
        """A JSONata state machine that starts with the first state; gives its ARN."""
        definition = {
            "QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **top,
        }  # fmt: skip
        return self.aws.workflow.create_state_machine(
            name=f"m{uuid.uuid4().hex[:10]}", definition=json.dumps(definition), roleArn=ROLE
        )["stateMachineArn"]

    def start(self, machine: str, given: object = None) -> str:
        """Start an execution; gives its ARN."""
        return self.aws.workflow.start_execution(
            stateMachineArn=machine, input=json.dumps(given or {})
        )["executionArn"]

    def wait(self, execution: str, seconds: float = 20) -> Outcome:
        """How the execution ended."""
        started = time.monotonic()
        while time.monotonic() < started + seconds:
            found = self.aws.workflow.describe_execution(executionArn=execution)
            if found["status"] in END:
                output = json.loads(found["output"]) if found.get("output") else None
                error = found.get("error")
                elapsed = time.monotonic() - started
                return Outcome(execution, found["status"], output, error, elapsed)
            time.sleep(0.02)
        raise AssertionError(f"{execution} did not end in {seconds} s")

    def run(self, states: dict[str, Any], given: object = None, **top: Any) -> Outcome:
        """One execution of a new machine, to its end."""
        return self.wait(self.start(self.machine(states, **top), given))


def task(function: str, **fields: Any) -> dict[str, Any]:
    """A Task that invokes the function with the state's input."""
    payload = fields.pop("payload", "{% $states.input %}")
    resource = fields.pop("resource", INVOKE)
    arguments = {"FunctionName": function, "Payload": payload}
    state = {"Type": "Task", "Resource": resource, "Arguments": arguments, **fields}
    return state if "Next" in state else {**state, "End": True}


def branch(name: str, state: dict[str, Any]) -> dict[str, Any]:
    """A branch of a Parallel with one state."""
    return {"StartAt": name, "States": {name: state}}
