"""Reads JSON from the API of a metric source, and says in words what is wrong with an answer.

The address is the catalogue's, the path the adapter's; redirects are not followed. A source that
only trickles is cut off when its time is up, wherever it is in its answer.
"""

import http.client
import json
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, ValidationError

from incident_squad.adapters.http_client import Refused
from incident_squad.adapters.metrics.exchange import LARGEST, Answer, Call, exchange, reason
from incident_squad.domain.errors import (
    InvalidConfiguration,
    InvalidParameter,
    SquadError,
    TargetUnavailable,
)
from incident_squad.ports import Clock

SECONDS = 5.0
_LONGEST_PATIENCE = 1.5
_OK, _BUSY = range(200, 300), frozenset({429, 503})
_TOO_LONG = (
    f"answers with more than {LARGEST // 1024} KiB: group the query into fewer series, or shorten "
    "its time range"
)
_MEANINGS: Sequence[tuple[Container[int], type[SquadError], str]] = (
    (
        _OK,
        InvalidParameter,
        _TOO_LONG,
    ),
    ((400, 422), InvalidParameter, "cannot answer this query, mend it: {said}"),
    (
        (404,),
        InvalidParameter,
        "knows nothing of this (HTTP 404), mend an id in the query or the source's address: {said}",
    ),
    ((401, 403), Refused, "refused us (HTTP {status}), check its credentials: {said}"),
    (
        range(300, 400),
        TargetUnavailable,
        "redirects, which is not followed: mend its address",
    ),
    (_BUSY, TargetUnavailable, "is busy (HTTP {status}), ask later: {said}"),
    (range(1000), TargetUnavailable, "failed (HTTP {status}): {said}"),
)
"""What a status means for whom asked, the first that fits; a 2xx here is one that is too long."""

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True)
class Source:
    """Whom to read from; `headers` hold the credentials."""

    name: str
    url: str
    headers: Mapping[str, str]


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
        name, address = self._source.name, urlsplit(self._source.url)
        kind = {} if body is None else {"Content-Type": "application/json"}
        call = Call(
            address=address,
            target=f"{address.path}{path}?{urlencode(params)}",
            headers={"Accept": "application/json", **self._source.headers, **kind},
            body=None if body is None else json.dumps(body).encode(),
        )
        try:
            return exchange(call, deadline)
        except (OSError, http.client.HTTPException) as error:
            late = time.monotonic() >= deadline or isinstance(error, TimeoutError)
            why = "did not answer in time" if late else f"cannot be read: {reason(error)}"
            raise TargetUnavailable(f"{name} {why}") from error
        except ValueError as error:
            why = "its secret or address has characters that HTTP cannot carry"
            raise InvalidConfiguration(f"{name}: {why}") from error

    def _parsed(self, answer: Answer, form: type[ModelT]) -> ModelT:
        if answer.status in _OK and len(answer.content) <= LARGEST:
            return self._shaped(answer.content, form)
        kind, words = next(
            (kind, words) for statuses, kind, words in _MEANINGS if answer.status in statuses
        )
        told = words.format(status=answer.status, said=_said(answer.content))
        raise kind(f"{self._source.name} {told}")

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
