"""A cloud assembly is deployed, updated and left alone without the CDK."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.clients import Clients
from infra.local.deploy import deploy
from infra.local.errors import DeployFailed

pytestmark = pytest.mark.stack

BUCKET = {"Fn::Sub": "cdk-assets-${AWS::AccountId}-${AWS::Region}"}


def write_assembly(folder: Path, name: str, answer: str, **more: Any) -> Path:
    """A tiny cloud assembly: one function that gives `answer`."""
    code = folder / "asset.code"
    code.mkdir(parents=True)
    (code / "handler.py").write_text(
        "import os\ndef lambda_handler(event, context):\n"
        f"    return {{'answer': {answer!r}, 'told': os.environ.get('TOLD')}}\n"
    )
    properties = {
        "FunctionName": f"{name}-answer",
        "Runtime": "python3.13",
        "Handler": "handler.lambda_handler",
        "Role": "arn:aws:iam::000000000000:role/any",
        "Code": {"S3Bucket": BUCKET, "S3Key": f"{answer}.zip"},
    }
    resources = {"Function": {"Type": "AWS::Lambda::Function", "Properties": properties}, **more}
    version = {"Type": "AWS::SSM::Parameter::Value<String>",
               "Default": "/cdk-bootstrap/hnb659fds/version"}  # fmt: skip
    template = {"Resources": resources, "Parameters": {"BootstrapVersion": version}}
    destination = {"bucketName": BUCKET["Fn::Sub"], "objectKey": f"{answer}.zip"}
    source = {"path": "asset.code", "packaging": "zip"}
    assets = {"files": {"code": {"source": source, "destinations": {"here": destination}}}}
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "t.json"}}
    for file, content in (
        ("t.json", template),
        (f"{name}.assets.json", assets),
        ("manifest.json", {"artifacts": {name: stack, "Tree": {"type": "cdk:tree"}}}),
    ):
        (folder / file).write_text(json.dumps(content))
    return folder


def ask(aws: Clients, name: str) -> dict[str, Any]:
    answer = aws.functions.invoke(FunctionName=f"{name}-answer")
    found: dict[str, Any] = json.loads(answer["Payload"].read())
    return found


def test_a_stack_is_created_left_alone_and_updated(aws: Clients, tmp_path: Path) -> None:
    name = "Tiny"
    first = write_assembly(tmp_path / "1", name, "one")
    assert deploy(first, aws, {"TOLD": "a"}).changed
    assert ask(aws, name) == {"answer": "one", "told": "a"}
    assert not deploy(first, aws, {"TOLD": "a"}).changed
    assert deploy(first, aws, {"TOLD": "b"}).changed
    assert ask(aws, name) == {"answer": "one", "told": "b"}
    assert deploy(write_assembly(tmp_path / "2", name, "two"), aws, {"TOLD": "b"}).changed
    assert ask(aws, name) == {"answer": "two", "told": "b"}


def test_a_refused_resource_is_named(aws: Clients, tmp_path: Path) -> None:
    wrong = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
        "DefinitionString": "{% no json", "RoleArn": "arn:aws:iam::000000000000:role/any",
        "DefinitionS3Location": {"Bucket": "nowhere", "Key": "nothing"}}}  # fmt: skip
    assembly = write_assembly(tmp_path / "wrong", "Wrong", "one", Broken=wrong)
    with pytest.raises(DeployFailed, match=r"Broken \(AWS::StepFunctions::StateMachine\)"):
        deploy(assembly, aws, {})


def test_an_unknown_type_is_named(aws: Clients, tmp_path: Path) -> None:
    unknown = {"Type": "AWS::Nothing::Known"}
    assembly = write_assembly(tmp_path / "unknown", "Unknown", "one", Strange=unknown)
    with pytest.raises(DeployFailed, match="AWS::Nothing::Known"):
        deploy(assembly, aws, {})


def test_two_stacks_are_not_one(aws: Clients, tmp_path: Path) -> None:
    folder = write_assembly(tmp_path / "two", "Two", "one")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["artifacts"]["Other"] = manifest["artifacts"]["Two"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DeployFailed, match="holds 2 stacks"):
        deploy(folder, aws, {})
