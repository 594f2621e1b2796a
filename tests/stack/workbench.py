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

    def api(self, function: str) -> str:
        """A REST API with this function behind GET /; gives its address."""
        stack = f"a{uuid.uuid4().hex[:10]}"
        self.aws.cloudformation.create_stack(StackName=stack, TemplateBody=_api(stack, function))
        for _ in range(200):
            found = self.aws.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
            if found["StackStatus"] == "CREATE_COMPLETE":
                api = found["Outputs"][0]["OutputValue"]
                return f"{self.aws.endpoint_url}/_aws/execute-api/{api}/live/"
            time.sleep(0.05)
        raise AssertionError(f"{stack} was not created")

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


def _api(name: str, function: str) -> str:
    """The template of a REST API with one method."""
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}"
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    method = {
        "RestApiId": {"Ref": "Api"},
        "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
        "HttpMethod": "GET",
        "AuthorizationType": "NONE",
        "Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": uri},
    }
    live = {"RestApiId": {"Ref": "Api"}, "StageName": "live"}
    kinds = {
        "Api": ("AWS::ApiGateway::RestApi", {"Name": name}, []),
        "Get": ("AWS::ApiGateway::Method", method, []),
        "Live": ("AWS::ApiGateway::Deployment", live, ["Get"]),
    }
    resources = {
        logical: {"Type": kind, "Properties": properties, "DependsOn": needs}
        for logical, (kind, properties, needs) in kinds.items()
    }
    return json.dumps({"Resources": resources, "Outputs": {"Id": {"Value": {"Ref": "Api"}}}})


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
