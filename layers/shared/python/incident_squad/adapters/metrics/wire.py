"""Reads JSON from the API of a metric source: a fixed address, bounded in time and size.

The address is the catalogue's, the path the adapter's; redirects are not followed. A source that
only trickles is cut off when its time is up, wherever it is in its answer.
"""

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, ValidationError

from incident_squad.adapters.http_client import Refused
from incident_squad.domain.errors import InvalidConfiguration, InvalidParameter, TargetUnavailable
from incident_squad.ports import Clock

SECONDS = 5.0
CONNECT_SECONDS = 2.0
LARGEST = 1024 * 1024
_LONGEST_PATIENCE = 1.5
_CHUNK = 65_536
_OK, _REDIRECTS, _WRONG = range(200, 300), range(300, 400), frozenset({400, 404, 422})
_REFUSED, _BUSY = frozenset({401, 403}), frozenset({429, 503})

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True)
class Source:
    """Whom to read from; `headers` hold the credentials."""

    name: str
    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """A status with the body, and how long the source asks us to wait."""

    status: int
    content: bytes
    wait: float


class Wire:
    """Reads from one source; `form` is the shape that the answer must have."""

    def __init__(self, source: Source, clock: Clock, seconds: float = SECONDS) -> None:
        self._source = source
        self._clock = clock
        self._seconds = seconds

    def read(
        self,
        path: str,
        params: Sequence[tuple[str, str]],
        form: type[ModelT],
        *,
        body: Mapping[str, Any] | None = None,
    ) -> ModelT:
        """GET, or the POST that the vendor documents for reading when there is a body.

        Raises InvalidParameter when the source cannot read the question, Refused, and
        TargetUnavailable. A source that is busy is asked once more if it wants a short pause.
        """
        deadline = time.monotonic() + self._seconds
        answer = self._exchange(path, params, body, deadline)
        left = deadline - time.monotonic()
        if answer.status in _BUSY and answer.wait <= min(_LONGEST_PATIENCE, left / 2):
            self._clock.sleep(answer.wait)
            answer = self._exchange(path, params, body, deadline)
        return self._parsed(answer, form)

    def _exchange(
        self,
        path: str,
        params: Sequence[tuple[str, str]],
        body: Mapping[str, Any] | None,
        deadline: float,
    ) -> Answer:
        address = urlsplit(self._source.url)
        target = f"{address.path}{path}?{urlencode(params)}"
        content = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        headers = {"Accept": "application/json", **self._source.headers, **kind}
        connection = _connection(address.scheme, address.netloc)
        try:
            return _ask(connection, (target, content, headers), deadline)
        except (OSError, http.client.HTTPException) as error:
            late = time.monotonic() >= deadline or isinstance(error, TimeoutError)
            why = "did not answer in time" if late else f"cannot be read: {_kind(error)}"
            raise TargetUnavailable(f"{self._source.name} {why}") from error
        except ValueError as error:
            why = "its secret or address has characters that HTTP cannot carry"
            raise InvalidConfiguration(f"{self._source.name}: {why}") from error
        finally:
            connection.close()

    def _parsed(self, answer: Answer, form: type[ModelT]) -> ModelT:
        name, status = self._source.name, answer.status
        if status in _OK and len(answer.content) > LARGEST:
            raise InvalidParameter(
                f"{name} answers with more than {LARGEST // 1024} KiB: group the query into fewer "
                "series, or shorten its time range"
            )
        if status in _OK:
            return self._shaped(answer.content, form)
        said = _said(answer.content)
        if status in _WRONG:
            raise InvalidParameter(f"{name} cannot answer this query, mend it: {said}")
        if status in _REFUSED:
            raise Refused(f"{name} refused us (HTTP {status}), check its credentials: {said}")
        if status in _REDIRECTS:
            raise TargetUnavailable(f"{name} redirects, which is not followed: mend its address")
        if status in _BUSY:
            raise TargetUnavailable(f"{name} is busy (HTTP {status}), ask later: {said}")
        raise TargetUnavailable(f"{name} failed (HTTP {status}): {said}")

    def _shaped(self, content: bytes, form: type[ModelT]) -> ModelT:
        try:
            return form.model_validate(json.loads(content))
        except (ValueError, RecursionError) as error:
            where = ""
            if isinstance(error, ValidationError):
                where = ": " + ".".join(str(part) for part in error.errors()[0]["loc"])[:100]
            raise TargetUnavailable(
                f"{self._source.name} does not answer as its API should{where}"
            ) from error


def _connection(scheme: str, netloc: str) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(netloc, timeout=CONNECT_SECONDS, context=context)
    return http.client.HTTPConnection(netloc, timeout=CONNECT_SECONDS)


def _ask(
    connection: http.client.HTTPConnection,
    request: tuple[str, bytes | None, Mapping[str, str]],
    deadline: float,
) -> Answer:
    target, content, headers = request
    connection.connect()
    stream = connection.sock
    left = max(deadline - time.monotonic(), 0.01)
    stream.settimeout(left)
    # A timeout is for each byte; the watchdog is for all of them.
    watchdog = threading.Timer(left, _cut, (stream,))
    watchdog.daemon = True
    watchdog.start()
    try:
        connection.request("GET" if content is None else "POST", target, content, dict(headers))
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


def _said(content: bytes) -> str:
    """The source's own words about an error."""
    text = content[:4000].decode(errors="replace")
    try:
        found = json.loads(content[:LARGEST])
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        text = "; ".join(_words(found.get("error") or found.get("errors"))) or text
    return " ".join(text.split())[:300] or "it does not say why"


def _words(error: object) -> list[str]:
    if isinstance(error, dict):
        return [*_words(error.get("message")), *_words(error.get("errors"))]
    if isinstance(error, list):
        return [word for one in error[:5] for word in _words(one)]
    return [error] if isinstance(error, str) else []


def _kind(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "its certificate or TLS is not right"
    if isinstance(error, ConnectionRefusedError | socket.gaierror):
        return "nothing listens at its address"
    return type(error).__name__
