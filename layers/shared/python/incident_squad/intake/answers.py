"""Answers of the doors over HTTP, and the raw body of a request."""

import base64
import binascii
import math
from typing import Any

from pydantic import Field

from incident_squad.domain.errors import InvalidAlert
from incident_squad.domain.values import Value

ACCEPTED, BAD_REQUEST, UNAUTHORIZED, NOT_FOUND = 202, 400, 401, 404
TOO_LARGE, TOO_MANY, UNAVAILABLE = 413, 429, 503

_TITLES = {
    BAD_REQUEST: "Bad request",
    UNAUTHORIZED: "The sender is not proven",
    NOT_FOUND: "Not found",
    TOO_LARGE: "The body is too large",
    TOO_MANY: "Too many requests",
    UNAVAILABLE: "Try again",
}
_HEADERS = {
    UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    UNAVAILABLE: {"Retry-After": "5"},
}


class Answer(Value):
    """An answer over HTTP. `body` is JSON; of an error, problem details (RFC 9457)."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = Field(default_factory=dict)

    @property
    def content_type(self) -> str:
        """Errors are recognised by their type."""
        return "application/json" if self.status == ACCEPTED else "application/problem+json"


def problem(status: int, detail: str, wait: float | None = None) -> Answer:
    """Problem details: what went wrong, in a sentence for the sender.

    `wait` is after how many seconds it may come again.
    """
    body = {"type": "about:blank", "title": _TITLES[status], "status": status, "detail": detail}
    again = {} if wait is None else {"Retry-After": str(max(1, math.ceil(wait)))}
    return Answer(status=status, body=body, headers={**_HEADERS.get(status, {}), **again})


def body_of(body: object, *, is_base64: object) -> bytes:
    """The raw bytes of API Gateway's event; raises InvalidAlert for broken Base64."""
    said = body if isinstance(body, str) else ""
    raw = said.encode("utf-8", "surrogatepass")
    if not is_base64:
        return raw
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidAlert("the body is no Base64") from None
