"""Calls the operations that HTTP targets of the catalogue declare, and nothing else.

Method and path are the catalogue's, redirects are not followed, answers are bounded in size and
time, and each call is one connection: a stale one could leave a POST in doubt.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from incident_squad.domain.catalog import HttpOperation, HttpTarget
from incident_squad.domain.errors import InvalidConfiguration, StepFailed, TargetUnavailable
from incident_squad.ports import Knowledge, Secrets

if TYPE_CHECKING:
    import urllib3

LARGEST = 256 * 1024
CONNECT_SECONDS = 3
_OK, _REDIRECTS, _REFUSALS = range(200, 300), range(300, 400), range(400, 500)
_UNAUTHORIZED, _FORBIDDEN = 401, 403


class Refused(TargetUnavailable):
    """The target knows us and says no."""


@dataclass(frozen=True)
class Call:
    """One request, ready to be sent; `body` is JSON."""

    target: str
    operation: HttpOperation
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, Any] | None
    seconds: float


class Operations(Protocol):
    """What HTTP steps and probes ask for, by the names that a target declares."""

    def describe(self, target: str | None, operation: str) -> str:
        """The call in words."""
        ...

    def look(self, target: str | None, operation: str, *, seconds: float) -> Any:  # noqa: ANN401
        """What an operation that only looks answers, as JSON."""
        ...

    def act(
        self, target: str | None, operation: str, body: Mapping[str, Any], key: str, seconds: float
    ) -> Any:  # noqa: ANN401
        """What an operation that changes something answers, as JSON."""
        ...


class HttpClient:
    """Sends declared operations with the bearer token of the role that they need."""

    def __init__(self, knowledge: Knowledge, secrets: Secrets) -> None:
        self._knowledge = knowledge
        self._secrets = secrets

    def describe(self, target: str | None, operation: str) -> str:
        """The call in words: `POST https://deployer.example/rollback`."""
        declared, found = self._find(target, operation)
        return f"{declared.method} {found.base_url}{declared.path}"

    def look(self, target: str | None, operation: str, *, seconds: float) -> Any:  # noqa: ANN401
        """The JSON that a GET gives, None for an empty answer, as the reader.

        Raises TargetUnavailable, StepFailed and InvalidConfiguration. Nothing is changed.
        """
        declared, found = self._find(target, operation)
        if declared.mutates or declared.method != "GET":
            raise InvalidConfiguration(f"'{operation}' of '{target}' is not a way to look")
        url, headers = f"{found.base_url}{declared.path}", self._headers(found.reader)
        return _send(Call(f"{target}", declared, url, headers, None, seconds))

    def act(
        self, target: str | None, operation: str, body: Mapping[str, Any], key: str, seconds: float
    ) -> Any:  # noqa: ANN401
        """The JSON that an operation answers, as the writer; `key` makes it idempotent.

        Raises TargetUnavailable when the call was not made or was refused (4xx), StepFailed when
        nobody knows what it did, and InvalidConfiguration.
        """
        declared, found = self._find(target, operation)
        if found.writer is None:
            raise InvalidConfiguration(f"the target '{target}' has no writer")
        url = f"{found.base_url}{declared.path}"
        headers = {**self._headers(found.writer), "Idempotency-Key": key}
        return _send(Call(f"{target}", declared, url, headers, body, seconds))

    def _find(self, target: str | None, operation: str) -> tuple[HttpOperation, HttpTarget]:
        found = self._knowledge.catalog.targets.get(target or "")
        if not isinstance(found, HttpTarget):
            raise InvalidConfiguration(f"'{target}' is not an HTTP target of the catalogue")
        if operation not in found.operations:
            raise InvalidConfiguration(f"the target '{target}' declares no operation '{operation}'")
        return found.operations[operation], found

    def _headers(self, secret: str | None) -> dict[str, str]:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if secret is not None:
            headers["Authorization"] = f"Bearer {self._secrets.get(secret).strip()}"
        return headers


def _send(call: Call) -> Any:  # noqa: ANN401 - any JSON
    import urllib3  # noqa: PLC0415 - not needed by most functions

    deadline = time.monotonic() + call.seconds
    timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, call.seconds), read=call.seconds)
    try:
        with urllib3.PoolManager() as pool:
            response = pool.request(
                call.operation.method,
                call.url,
                json=call.body,
                headers=dict(call.headers),
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                return _read(call, response, deadline)
            finally:
                response.close()
    except (
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.ConnectTimeoutError,
        urllib3.exceptions.SSLError,
    ) as error:
        raise TargetUnavailable(f"'{call.target}' cannot be reached: {_said(error)}") from error
    except urllib3.exceptions.HTTPError as error:
        raise _unanswered(call, _said(error)) from error


def _read(call: Call, response: "urllib3.BaseHTTPResponse", deadline: float) -> Any:  # noqa: ANN401
    if response.status in {_UNAUTHORIZED, _FORBIDDEN}:
        raise Refused(f"'{call.target}' refused us: HTTP {response.status}")
    if response.status in _REDIRECTS:
        raise StepFailed(f"'{call.target}' redirects, which is not followed")
    content = bytearray()
    for chunk in response.stream(8192):
        content += chunk
        if len(content) > LARGEST:
            raise _unanswered(call, f"more than {LARGEST // 1024} KiB")
        if time.monotonic() > deadline:
            raise _unanswered(call, f"still talking after {call.seconds:g} s")
    if response.status not in _OK:
        raise _bad_answer(call, response.status, bytes(content[:200]).decode(errors="replace"))
    return _json(call, bytes(content))


def _bad_answer(call: Call, status: int, said: str) -> StepFailed | TargetUnavailable:
    """A hook's contract: 4xx means that it refused and did nothing, 5xx that nobody knows."""
    why = f"'{call.target}' answered HTTP {status}: {said}"
    return TargetUnavailable(why) if status in _REFUSALS else StepFailed(why)


def _json(call: Call, content: bytes) -> Any:  # noqa: ANN401
    if not content.strip():
        return None
    try:
        return json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise StepFailed(f"'{call.target}' did not answer with JSON") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _unanswered(call: Call, why: str) -> StepFailed | TargetUnavailable:
    if call.operation.method == "GET" and not call.operation.mutates:
        return TargetUnavailable(f"'{call.target}' gave no usable answer: {why}")
    return StepFailed(
        f"nobody knows whether {call.operation.method} {call.operation.path} took effect at "
        f"'{call.target}': {why}"
    )


def _said(error: Exception) -> str:
    return str(error).rpartition(": ")[2][:200] or type(error).__name__
