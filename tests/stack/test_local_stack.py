"""The whole squad starts on a laptop, keeps what it knows, and says what stands in its way."""

import json
import time
from pathlib import Path

import pytest

from infra.local.config import LocalConfig
from infra.local.emulator_process import EmulatorProcess
from infra.local.errors import (
    DataDirectoryLocked,
    DeployFailed,
    EmulatorDied,
    NodeUnusable,
    PortTaken,
)
from infra.local.stack import LocalStack, Progress
from tests.stack.http import call
from tests.stack.processes import children
from tests.stack.test_deploy import write_assembly

pytestmark = pytest.mark.stack


def quiet(_: str) -> None:
    """No progress."""


def table_of(stack: LocalStack) -> str:
    return stack.clients.dynamodb.list_tables()["TableNames"][0]


def signing_key_of(stack: LocalStack) -> str:
    aliases = stack.clients.kms.list_aliases()["Aliases"]
    return next(a["TargetKeyId"] for a in aliases if a["AliasName"].endswith("-links"))


def test_health_answers_through_the_gateway(local_stack: LocalStack) -> None:
    answer = call(f"{local_stack.url}/health")
    assert answer.status == 200


def test_readers_need_the_token(local_stack: LocalStack) -> None:
    assert call(f"{local_stack.url}/incidents").status == 401
    bearer = {"Authorization": f"Bearer {local_stack.token}"}
    answer = call(f"{local_stack.url}/incidents", headers=bearer)
    assert answer.status == 200
    assert json.loads(answer.body) == {"incidents": [], "next": None}


def test_every_function_of_the_template_is_there(local_stack: LocalStack) -> None:
    folders = {p.parent.name for p in Path("functions").glob("*/handler.py")}
    pages = local_stack.clients.functions.get_paginator("list_functions").paginate()
    names = {f["FunctionName"] for page in pages for f in page["Functions"]}
    assert names == {f"{local_stack.name}-{folder}" for folder in folders}


def test_functions_know_the_address_of_the_gateway(local_stack: LocalStack) -> None:
    name = f"/{local_stack.name}/public-url"
    found = local_stack.clients.ssm.get_parameter(Name=name)["Parameter"]
    assert found["Value"] == local_stack.url


def test_every_notification_arrives_in_the_inbox_once(local_stack: LocalStack) -> None:
    topics = [topic["TopicArn"] for topic in local_stack.clients.sns.list_topics()["Topics"]]
    (topic,) = (arn for arn in topics if "Notifications" in arn)  # another one takes alarms in
    body = {"id": "n1", "incident_id": "INC-1", "kind": "page", "recipients": ["a@b.example"],
            "subject": "s", "body": "b", "link": "http://127.0.0.1/x"}  # fmt: skip
    for _ in range(2):
        local_stack.clients.sns.publish(TopicArn=topic, Message=json.dumps(body))
    message = local_stack.inbox.wait_for(lambda found: found.id == "n1", seconds=10)
    assert message is not None
    assert message.link == "http://127.0.0.1/x"
    time.sleep(0.5)
    assert [found.id for found in local_stack.inbox.messages()].count("n1") == 1
    assert local_stack.inbox.wait_for(lambda found: found.id == "n2", seconds=0.1) is None


def test_what_the_configuration_says_reaches_functions(tmp_path: Path) -> None:
    config = LocalConfig(
        catalog={"policies": {"language": "fr"}},
        secrets={"targets/any": "postgresql://r@h/db", "webhooks/generic": "chosen"},
    )
    with LocalStack.start(config=config, progress=quiet) as stack:
        assert stack.secrets["generic"] == "chosen"
        vault = stack.clients.secrets
        found = vault.get_secret_value(SecretId=f"{stack.name}/targets/any")
        assert found["SecretString"] == "postgresql://r@h/db"
        function = stack.clients.functions.get_function(FunctionName=f"{stack.name}-triage")
        told = function["Configuration"]["Environment"]["Variables"]
        assert "language: fr" in Path(told["SQUAD_CATALOG_OVERLAY"]).read_text()
        assert Path(told["SQUAD_RUNBOOKS"]).is_dir()


def test_a_restart_keeps_everything_and_leaves_nothing_running(tmp_path: Path) -> None:
    before = children()
    with LocalStack.start(data=tmp_path / "data", progress=quiet) as first:
        item = {"PK": {"S": "INC#kept"}, "SK": {"S": "NOTE"}}
        first.clients.dynamodb.put_item(TableName=table_of(first), Item=item)
        key, secrets, token = signing_key_of(first), first.secrets, first.token
        mac = first.clients.kms.generate_mac(
            KeyId=key, Message=b"plan", MacAlgorithm="HMAC_SHA_256"
        )["Mac"]
        with pytest.raises(DataDirectoryLocked):
            LocalStack.start(data=tmp_path / "data", progress=quiet)
        assert call(f"{first.url}/health").status == 200
    assert not children() - before
    began = time.monotonic()
    with LocalStack.start(data=tmp_path / "data", progress=quiet) as second:
        assert time.monotonic() - began < 15
        assert (second.secrets, second.token) == (secrets, token)
        found = second.clients.dynamodb.get_item(TableName=table_of(second), Key=item)
        assert found["Item"] == item
        checked = second.clients.kms.verify_mac(
            KeyId=key, Message=b"plan", MacAlgorithm="HMAC_SHA_256", Mac=mac
        )
        assert checked["MacValid"]
        assert call(f"{second.url}/health").status == 200
    assert not children() - before


def test_a_restart_hands_nothing_over(tmp_path: Path) -> None:
    with LocalStack.start(data=tmp_path / "data", progress=quiet) as first:
        machine = first.clients.workflow.create_state_machine(
            name="Waiting", roleArn="arn:aws:iam::000000000000:role/any",
            definition='{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":600,"End":true}}}',
        )["stateMachineArn"]  # fmt: skip
        first.clients.workflow.start_execution(stateMachineArn=machine)
    with LocalStack.start(data=tmp_path / "data", progress=quiet) as second:
        ended = second.clients.workflow.list_executions(stateMachineArn=machine)["executions"]
        assert [execution["status"] for execution in ended] == ["FAILED"]
        time.sleep(2)
        assert second.inbox.messages() == ()


def test_a_taken_port_starts_nothing(local_stack: LocalStack) -> None:
    before = children()
    port = int(local_stack.url.rpartition(":")[2])
    with pytest.raises(PortTaken, match=f"Port {port} is taken"):
        LocalStack.start(port=port, progress=quiet)
    assert not children() - before


def test_a_dead_emulator_is_noticed(tmp_path: Path) -> None:
    with LocalStack.start(progress=quiet) as stack:
        stack.check()
        emulator: EmulatorProcess = stack._emulator
        emulator.kill()
        with pytest.raises(EmulatorDied, match="exit code -9"):
            stack.check()
        assert call(f"{stack.url}/health").status == 502


def no_node(_: Progress) -> Path:
    raise NodeUnusable("no Node here")


def test_a_missing_node_leaves_nothing(tmp_path: Path) -> None:
    before = children()
    with pytest.raises(NodeUnusable):
        LocalStack.start(data=tmp_path / "data", build=no_node, progress=quiet)
    assert not children() - before


def test_a_failed_deployment_leaves_nothing(tmp_path: Path) -> None:
    before = children()
    other = write_assembly(tmp_path / "other", "Other", "one")
    with pytest.raises(DeployFailed, match="no output"):
        LocalStack.start(data=tmp_path / "data", build=lambda _: other, progress=quiet)
    assert not children() - before
    with pytest.raises(NodeUnusable):  # and the folder is not locked any more
        LocalStack.start(data=tmp_path / "data", build=no_node, progress=quiet)
