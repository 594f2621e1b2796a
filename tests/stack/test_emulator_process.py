"""The emulator keeps what it acknowledged, and never outlives those who started it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.environment import minimal_environment
from infra.local.clients import Clients
from infra.local.emulator_process import EmulatorProcess, free_port
from infra.local.errors import EmulatorDied
from tests.stack.processes import alive, below
from tests.stack.workbench import Workbench

pytestmark = pytest.mark.stack

HANGS = "import time\ndef handle(event, context):\n    time.sleep(600)\n"
SHOWS = "import os\ndef handle(event, context):\n    return dict(os.environ)\n"
HOLD = """
import pathlib, sys, time
from infra.local.emulator_process import EmulatorProcess, free_port
emulator = EmulatorProcess(
    pathlib.Path(sys.argv[1]), port=free_port(), keep_state=True, environment={})
emulator.wait_ready()
print(emulator.pid, emulator.port, flush=True)
time.sleep(600)
"""


def start(folder: Path, **environment: str) -> EmulatorProcess:
    process = EmulatorProcess(folder, port=free_port(), keep_state=True, environment=environment)
    process.wait_ready()
    return process


def until(holds: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


def hang(emulator_port: int) -> None:
    """Leave a Lambda of the emulator hanging in its handler."""
    bench = Workbench(Clients(f"http://127.0.0.1:{emulator_port}"))
    name = bench.function(HANGS, timeout=900)
    bench.aws.functions.invoke(FunctionName=name, InvocationType="Event")


def test_it_starts_and_stops_in_seconds_and_leaves_nothing(tmp_path: Path) -> None:
    began = time.monotonic()
    emulator = start(tmp_path)
    hang(emulator.port)
    assert until(lambda: bool(below(emulator.pid)))
    left = below(emulator.pid)
    emulator.stop()
    assert time.monotonic() - began < 15
    assert not [process for process in left if alive(process)]
    assert not emulator.alive
    assert not list((tmp_path / "tmp").glob("ministack-lambda-*"))


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        emulator, port = (int(word) for word in parent.stdout.readline().split())
        hang(port)
        assert until(lambda: bool(below(emulator)))
        family = {emulator, *below(emulator)}
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert until(lambda: not any(alive(process) for process in family))


def test_a_function_ends_when_the_emulator_is_killed(tmp_path: Path) -> None:
    emulator = start(tmp_path)
    hang(emulator.port)
    assert until(lambda: bool(below(emulator.pid)))
    left = below(emulator.pid)
    os.kill(emulator.pid, signal.SIGKILL)
    assert until(lambda: not any(alive(process) for process in left))
    with pytest.raises(EmulatorDied, match="exit code -9"):
        emulator.check()
    emulator.stop()


def test_an_emulator_that_cannot_start_says_why(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        emulator = EmulatorProcess(tmp_path, port=port, keep_state=False, environment={})
        with pytest.raises(EmulatorDied, match="already in use"):
            emulator.wait_ready()
        emulator.stop()


def test_functions_see_no_keys_of_the_shell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert "secret" not in minimal_environment({}, temporary=tmp_path).values()
    emulator = start(tmp_path, GIVEN="by the configuration")
    try:
        bench = Workbench(Clients(emulator.endpoint_url))
        seen = bench.aws.functions.invoke(FunctionName=bench.function(SHOWS))["Payload"].read()
    finally:
        emulator.stop()
    assert b"ANTHROPIC_API_KEY" not in seen
    assert b"AWS_PROFILE" not in seen
    assert b"by the configuration" in seen
    assert str(tmp_path / "tmp").encode() in seen


def make_table(aws: Clients) -> None:
    aws.dynamodb.create_table(
        TableName="kept",
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def count(aws: Clients) -> None:
    aws.dynamodb.update_item(
        TableName="kept", Key={"PK": {"S": "counter"}}, UpdateExpression="ADD n :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )  # fmt: skip


def put_once(aws: Clients, by: str) -> None:
    aws.dynamodb.put_item(
        TableName="kept",
        ConditionExpression="attribute_not_exists(PK)",
        Item={"PK": {"S": "a"}, "by": {"S": by}},
    )


def counted(aws: Clients) -> int:
    item = aws.dynamodb.get_item(TableName="kept", Key={"PK": {"S": "counter"}})["Item"]
    return int(item["n"]["N"])


def test_what_dynamodb_acknowledged_survives_a_kill_at_any_moment(tmp_path: Path) -> None:
    emulator = start(tmp_path)
    make_table(Clients(emulator.endpoint_url))
    total = 0
    for writes, pause in ((20, 0.0), (5, 1.2), (1, 0.0)):
        aws = Clients(emulator.endpoint_url)
        for _ in range(writes):
            count(aws)
            total += 1
        time.sleep(pause)
        count(aws)
        total += 1
        emulator.kill()
        emulator = start(tmp_path)
        assert counted(Clients(emulator.endpoint_url)) == total
    emulator.stop()
    again = start(tmp_path)
    assert counted(Clients(again.endpoint_url)) == total
    again.stop()


def test_a_refused_write_is_refused_again_after_a_kill(tmp_path: Path) -> None:
    emulator = start(tmp_path)
    aws = Clients(emulator.endpoint_url)
    make_table(aws)
    put_once(aws, "first")
    with pytest.raises(aws.dynamodb.exceptions.ConditionalCheckFailedException):
        put_once(aws, "second")
    emulator.kill()
    emulator = start(tmp_path)
    aws = Clients(emulator.endpoint_url)
    item = aws.dynamodb.get_item(TableName="kept", Key={"PK": {"S": "a"}})["Item"]
    emulator.stop()
    assert item["by"] == {"S": "first"}


def test_other_state_survives_a_kill_after_a_snapshot(tmp_path: Path) -> None:
    emulator = start(tmp_path)
    aws = Clients(emulator.endpoint_url)
    key = aws.kms.create_key(KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")
    name = key["KeyMetadata"]["KeyId"]
    mac = aws.kms.generate_mac(KeyId=name, Message=b"plan", MacAlgorithm="HMAC_SHA_256")["Mac"]
    aws.secrets.create_secret(Name="kept", SecretString="text")
    bench = Workbench(aws)
    waits = bench.machine({"Wait": {"Type": "Wait", "Seconds": 600, "End": True}})
    execution = bench.start(waits)
    time.sleep(2.5)
    emulator.kill()
    emulator = start(tmp_path)
    aws = Clients(emulator.endpoint_url)
    try:
        checked = aws.kms.verify_mac(
            KeyId=name, Message=b"plan", MacAlgorithm="HMAC_SHA_256", Mac=mac
        )
        assert checked["MacValid"]
        assert aws.secrets.get_secret_value(SecretId="kept")["SecretString"] == "text"
        found = aws.workflow.describe_execution(executionArn=execution)
        assert (found["status"], found["error"]) == ("FAILED", "States.ServiceRestart")
    finally:
        emulator.stop()
