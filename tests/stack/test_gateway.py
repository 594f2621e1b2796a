"""The gateway passes requests and answers through unchanged, and answers for a silent upstream."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infra.local.emulator_process import free_port
from infra.local.errors import PortTaken
from infra.local.gateway import LARGEST_BODY, Gateway
from tests.stack.http import call

pytestmark = pytest.mark.stack


class Upstream(BaseHTTPRequestHandler):
    """Says what it was asked; `/base/slow` takes long, `/base/parts` comes in two parts."""

    def do_GET(self) -> None:
        if self.path == "/base/slow":
            time.sleep(3)
        if self.path == "/base/parts":
            self._parts()
            return
        length = int(self.headers.get("content-length", 0))
        seen = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(length).decode(),
        }
        self._send(302 if self.path == "/base/moved" else 200, json.dumps(seen).encode())

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("X-Answer", "kept")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _parts(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"one ")
        self.wfile.flush()
        time.sleep(1)
        self.wfile.write(b"two\n")


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/base"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def gateway(upstream: str) -> Iterator[Gateway]:
    with Gateway(0, answer_seconds=1.5) as running:
        running.open(upstream)
        yield running


def test_path_query_headers_and_body_go_through(gateway: Gateway) -> None:
    path = "/approvals/INC-1~a%2Fb~x=?a=1&a=%20&b="
    answer = call(gateway.url + path, method="POST", body=b"raw \xc3\xa9", headers={"X-Own": "1"})
    seen = json.loads(answer.body)
    assert seen["method"] == "POST"
    assert seen["path"] == f"/base{path}"
    assert seen["headers"]["x-own"] == "1"
    assert seen["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert seen["body"] == "raw é"


def test_status_and_headers_come_back(gateway: Gateway) -> None:
    answer = call(f"{gateway.url}/moved")
    assert answer.status == 302
    assert answer.headers["Location"] == "/elsewhere"
    assert answer.headers["X-Answer"] == "kept"


def test_no_web_page_may_read_answers(gateway: Gateway) -> None:
    assert "Access-Control-Allow-Origin" not in call(f"{gateway.url}/any").headers


def test_an_answer_is_passed_on_as_it_comes(gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as connection:
        connection.sendall(b"GET /parts HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n")
        started, seen = time.monotonic(), b""
        while b"one " not in seen:
            seen += connection.recv(4096)
        assert time.monotonic() - started < 0.8
        assert b"two" not in seen


def test_a_late_answer_is_a_gateway_timeout(gateway: Gateway) -> None:
    answer = call(f"{gateway.url}/slow")
    assert answer.status == 504
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_a_body_that_is_too_large_is_refused(gateway: Gateway) -> None:
    assert call(gateway.url, method="POST", body=b"x" * LARGEST_BODY).status == 200
    assert call(gateway.url, method="POST", body=b"x" * (LARGEST_BODY + 1)).status == 413


def test_a_dead_upstream_is_a_bad_gateway() -> None:
    with Gateway(0) as running:
        assert call(running.url).status == 503
        running.open(f"http://127.0.0.1:{free_port()}")
        assert call(running.url).status == 502


def test_a_taken_port_is_named(gateway: Gateway) -> None:
    with pytest.raises(PortTaken, match=rf"Port {gateway.port} is taken.*--port"):
        Gateway(gateway.port)


def test_it_listens_on_the_loopback_only(gateway: Gateway) -> None:
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", gateway.port), timeout=1).close()
