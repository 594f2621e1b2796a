"""True streaming is a choice: what it adds to the template, and what the default goes without."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from infra.app import reviewed_app
from infra.stack import Choices, IncidentSquadStack
from infra.stage import Stage

Template = dict[str, Any]


def synthesised(folder: Path, **choices: Any) -> Template:
    app = cdk.App(outdir=str(folder), builtin_cloud_formation_validation=False)
    IncidentSquadStack(app, "Squad", choices=Choices(stage=Stage("dev"), **choices))
    app.synth()
    read: Template = json.loads((folder / "Squad.template.json").read_text())
    return read


@pytest.fixture(scope="module")
def streamed(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return synthesised(tmp_path_factory.mktemp("streamed"), streaming="lwa")


def of_type(template: Template, kind: str) -> list[dict[str, Any]]:
    return [r["Properties"] for r in template["Resources"].values() if r["Type"] == kind]


def streaming_function(template: Template) -> dict[str, Any]:
    (found,) = [
        function
        for function in of_type(template, "AWS::Lambda::Function")
        if function["FunctionName"] == "Squad-stream_events"
    ]
    return found


def test_the_adapter_starts_the_server_and_streams(streamed: Template) -> None:
    function = streaming_function(streamed)
    assert function["Handler"] == "run.sh"
    assert function["Timeout"] == 900
    assert "LambdaAdapterLayerArm64" in json.dumps(function["Layers"])
    variables = function["Environment"]["Variables"]
    assert variables["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/bootstrap"
    assert variables["AWS_LWA_INVOKE_MODE"] == "response_stream"
    assert variables["AWS_LWA_READINESS_CHECK_PATH"] == "/health"
    assert "SQUAD_TABLE" in variables


def test_only_the_events_are_streamed(streamed: Template) -> None:
    methods = of_type(streamed, "AWS::ApiGateway::Method")
    streaming = [
        method
        for method in methods
        if method["Integration"].get("ResponseTransferMode") == "STREAM"
    ]
    (method,) = streaming
    assert method["HttpMethod"] == "GET"
    assert "response-streaming-invocations" in json.dumps(method["Integration"]["Uri"])
    assert method["Integration"]["TimeoutInMillis"] == 900_000
    resource = streamed["Resources"][method["ResourceId"]["Ref"]]["Properties"]
    assert resource["PathPart"] == "events"


def test_it_may_read_and_nothing_else(streamed: Template) -> None:
    role = streaming_function(streamed)["Role"]["Fn::GetAtt"][0]
    (policy,) = [
        policy
        for policy in of_type(streamed, "AWS::IAM::Policy")
        if policy["Roles"] == [{"Ref": role}]
    ]
    actions = {
        action
        for statement in policy["PolicyDocument"]["Statement"]
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    }
    assert actions <= {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "kms:VerifyMac",
        "secretsmanager:GetSecretValue",
    }


def test_a_stack_goes_without_it_by_default(tmp_path: Path) -> None:
    text = json.dumps(synthesised(tmp_path))
    assert "stream_events" not in text
    assert "LambdaAdapterLayer" not in text
    assert '"STREAM"' not in text


def test_the_review_finds_nothing_and_another_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="streaming must be one of off, lwa"):
        reviewed_app(tmp_path, context={"streaming": "on"})
    reviewed_app(tmp_path, context={"streaming": "lwa"}).synth()
