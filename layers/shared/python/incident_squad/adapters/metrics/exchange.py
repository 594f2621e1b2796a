"""One request and its answer: bounded in time and size, wherever the other side dawdles."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from urllib.parse import SplitResult

CONNECT_SECONDS = 2.0
LARGEST = 1024 * 1024
_CHUNK = 65_536


@dataclass(frozen=True)
class Call:
    """What to send; a call with a body is a POST."""

    address: SplitResult
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True)
class Answer:
    """A status with the body (a little more than LARGEST at most), and the pause asked of us."""

    status: int
    content: bytes
    wait: float


def exchange(call: Call, deadline: float) -> Answer:
    """Send and read; raises OSError, HTTPException and ValueError as the library does.

    `deadline` is of `time.monotonic()`; being late is a TimeoutError.
    """
    connection = _connection(call.address.scheme, call.address.netloc)
    try:
        return _ask(connection, call, deadline)
    finally:
        connection.close()


def _connection(scheme: str, netloc: str) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(netloc, timeout=CONNECT_SECONDS, context=context)
    return http.client.HTTPConnection(netloc, timeout=CONNECT_SECONDS)


def _ask(connection: http.client.HTTPConnection, call: Call, deadline: float) -> Answer:
    connection.connect()
    stream = connection.sock
    left = max(deadline - time.monotonic(), 0.01)
    stream.settimeout(left)
    # A timeout is for each byte; the watchdog is for all of them.
    watchdog = threading.Timer(left, _cut, (stream,))
    watchdog.daemon = True
    watchdog.start()
    try:
        method = "GET" if call.body is None else "POST"
        connection.request(method, call.target, call.body, dict(call.headers))
        response = connection.getresponse()
        answer = Answer(response.status, _bounded(response), _wait(response.headers))
    finally:
        watchdog.cancel()
    if time.monotonic() >= deadline:
        raise TimeoutError
    return answer


def _cut(stream: socket.socket) -> None:
    with suppress(OSError):
        # Past TLS, which would otherwise forget its state under the reader's feet.
        socket.socket.shutdown(stream, socket.SHUT_RDWR)


def _bounded(response: http.client.HTTPResponse) -> bytes:
    """The body, or a little more than the most that is read of one."""
    content = bytearray()
    while len(content) <= LARGEST:
        chunk = response.read(_CHUNK)
        if not chunk:
            break
        content += chunk
    return bytes(content)


def _wait(headers: Message) -> float:
    """Seconds that a busy source asks for; infinite when it does not say."""
    for name in ("Retry-After", "X-RateLimit-Reset", "ratelimit-reset"):
        text = headers.get(name, "").strip()
        if text.isascii() and text.isdigit() and len(text) < 7:  # noqa: PLR2004 - days are never
            return float(text)
    return float("inf")


def reason(error: Exception) -> str:
    """Why an exchange broke off, in words."""
    if isinstance(error, ssl.SSLError):
        return "its certificate or TLS is not right"
    if isinstance(error, ConnectionRefusedError | socket.gaierror):
        return "nothing listens at its address"
    return type(error).__name__
