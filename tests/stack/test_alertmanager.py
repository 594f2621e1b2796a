"""A real Alertmanager posts to the embedded stack, which is restarted in between."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local.emulator_process import free_port
from infra.local.stack import LocalStack
from tests.components import need
from tests.stack.http import call

pytestmark = [pytest.mark.stack, pytest.mark.real]

LABELS = {"alertname": "PaymentsPoolExhausted", "service": "payment-api", "severity": "critical"}
SUMMARY = "Connection pool of payments-db exhausted: 500/500 connections in use"


class Alertmanager:
    """One Alertmanager with one receiver: the squad."""

    def __init__(self, program: str, folder: Path, squad: str, secret: str) -> None:
        receiver = {
            "url": f"{squad}/webhooks/alertmanager",
            "send_resolved": True,
            "http_config": {"authorization": {"type": "Bearer", "credentials": secret}},
        }
        route = {
            "receiver": "squad",
            "group_by": ["alertname"],
            "group_wait": "1s",
            "group_interval": "1s",
            "repeat_interval": "2s",
        }
        config = {"route": route, "receivers": [{"name": "squad", "webhook_configs": [receiver]}]}
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
        self._started = datetime.now(UTC)
        self.url = f"http://127.0.0.1:{free_port()}"
        self._command = [
            program,
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
            "--cluster.listen-address=",
            "--log.level=error",
        ]

    @contextmanager
    def running(self) -> Iterator[None]:
        with subprocess.Popen(self._command, stderr=subprocess.DEVNULL) as process:
            try:
                until(self._ready, 10)
                yield
            finally:
                process.terminate()

    def say(self, *, ends: timedelta) -> None:
        now = datetime.now(UTC)
        alert = {
            "labels": LABELS,
            "annotations": {"summary": SUMMARY},
            "startsAt": self._started.isoformat(),
            "endsAt": (now + ends).isoformat(),
        }
        body = json.dumps([alert]).encode()
        headers = {"Content-Type": "application/json"}
        answer = call(f"{self.url}/api/v2/alerts", method="POST", body=body, headers=headers)
        assert answer.status == 200, answer.body

    def _ready(self) -> bool:
        try:
            return call(f"{self.url}/-/ready", seconds=1).status == 200
        except OSError:
            return False


def until(met: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def read(stack: LocalStack, path: str) -> Any:
    headers = {"Authorization": f"Bearer {stack.token}", "Accept": "application/json"}
    return json.loads(call(f"{stack.url}{path}", headers=headers).body)


def incidents(stack: LocalStack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read(stack, "/incidents")["incidents"]
    return found


def sent_again(stack: LocalStack) -> int:
    rows = read(stack, "/alerts")["counts"]
    return sum(row["number"] for row in rows if row["reason"] == "sent_again")


def test_one_fault_is_one_incident_until_alertmanager_says_it_is_over(tmp_path: Path) -> None:
    program = need("prometheus-alertmanager")
    data, port = tmp_path / "squad", free_port()
    with LocalStack.start(data=data, port=port) as stack:
        url, secret = stack.url, stack.secrets["alertmanager"]
        manager = Alertmanager(program, tmp_path, url, secret)
        with manager.running():
            manager.say(ends=timedelta(minutes=5))
            until(lambda: bool(incidents(stack)), 30)
            until(lambda: sent_again(stack) >= 1, 30)
            before = sent_again(stack)
            stack.stop()
            time.sleep(1)
            with LocalStack.start(data=data, port=port) as again:
                until(lambda: sent_again(again) > before, 30)
                assert len(incidents(again)) == 1
                manager.say(ends=timedelta(seconds=-1))
                until(lambda: bool(incidents(again)[0].get("sourceResolvedAt")), 30)
                assert len(incidents(again)) == 1
                told = read(again, f"/incidents/{incidents(again)[0]['incidentId']}/timeline")
                assert told["sound"]
                assert [e["event"] for e in told["events"]].count("AlertReceived") == 1
