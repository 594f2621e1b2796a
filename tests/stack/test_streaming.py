"""The web server behind the Lambda Web Adapter, as a process of its own, on the stack's table."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from infra import environment
from infra.client import SquadClient
from infra.local.emulator_process import free_port
from infra.local.stack import LocalStack
from tests.stack.http import call

pytestmark = pytest.mark.stack

RUN = Path("functions/stream_events/run.sh")
ALERT = {"title": "Checkout is slow for 20% of users", "service": "checkout-web"}


@pytest.fixture(scope="module")
def server(local_stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Started as the adapter does, with the environment of the function that it stands in for."""
    port = free_port()
    name = next(
        function["FunctionName"]
        for function in local_stack.clients.functions.list_functions()["Functions"]
        if function["FunctionName"].endswith("-incidents")
    )
    told = local_stack.clients.functions.get_function_configuration(FunctionName=name)
    variables = {
        **told["Environment"]["Variables"],
        "AWS_ENDPOINT_URL": local_stack.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LWA_PORT": str(port),
        "SQUAD_RUNBOOKS": str(Path("runbooks").resolve()),
        "PYTHON": sys.executable,
    }
    folder: Path = tmp_path_factory.mktemp("streaming")
    env = environment.minimal_environment(variables, temporary=folder)
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([str(RUN)], env=env) as process:
        try:
            _wait_ready(url)
            yield url
        finally:
            process.terminate()


def _wait_ready(url: str) -> None:
    for _ in range(600):
        try:
            if call(f"{url}/health").status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


class Stream:
    """One connection that reads lines as they come."""

    def __init__(self, url: str, path: str, headers: dict[str, str]) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self.connection.request("GET", path, headers=headers)
        self.answer = self.connection.getresponse()

    def until(self, text: str) -> list[str]:
        """The lines up to the first one that holds a text."""
        lines: list[str] = []
        while True:
            line = self.answer.readline().decode()
            if not line:
                raise AssertionError(lines)
            lines.append(line.rstrip("\n"))
            if text in line:
                return lines


@pytest.fixture(scope="module")
def incident(local_stack: LocalStack) -> str:
    client = SquadClient(url=local_stack.url, token=local_stack.token)
    answer = client.post_alert("generic", ALERT, local_stack.secrets["generic"])
    return str(answer["incidentId"])


def test_events_stream_as_they_come_and_are_resumed(
    local_stack: LocalStack, server: str, incident: str
) -> None:
    path, bearer = f"/incidents/{incident}/events", f"Bearer {local_stack.token}"
    stream = Stream(server, path, {"Authorization": bearer})
    assert stream.answer.status == 200
    assert stream.answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert stream.answer.headers["Transfer-Encoding"] == "chunked"
    lines = stream.until("Triaged")
    assert lines[0].startswith("retry: ")
    stream.connection.close()

    later = Stream(server, path, {"Authorization": bearer, "Last-Event-ID": "1"})
    found = later.until("Triaged")
    assert "id: 1" not in found
    later.connection.close()


def test_who_may_not_read_is_told_so_and_the_server_lives_on(server: str, incident: str) -> None:
    assert call(f"{server}/incidents/{incident}/events").status == 401
    assert call(f"{server}/incidents/{incident}").status == 404
    assert call(f"{server}/../../etc/passwd").status == 404
    assert call(f"{server}/health").status == 200
