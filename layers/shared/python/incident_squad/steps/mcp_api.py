"""The door for MCP: who may speak it and how much, before any of the protocol is understood."""

import logging
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from incident_squad.domain.errors import (
    InvalidAlert,
    InvalidConfiguration,
    PolicyViolation,
    SquadError,
    UnprovenSender,
)
from incident_squad.domain.limits import IntakeLimits
from incident_squad.intake import limits
from incident_squad.intake.proof import bears_token, header, secrets_in
from incident_squad.intake.rate import Buckets
from incident_squad.pages.web import Answer, problem
from incident_squad.ports import Clock, Secrets

_log = logging.getLogger(__name__)

METHODS = "POST"
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="mcp"'}
_LOOPBACK = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")


@dataclass(frozen=True)
class McpApi:
    """Who passes is given to `serve`; strangers learn nothing and cost nothing.

    `limits_of` gives the limits that hold for the other doors too.
    """

    secrets: Secrets
    clock: Clock
    serve: Callable[[Mapping[str, str], bytes], Answer]
    limits_of: Callable[[], IntakeLimits] = IntakeLimits
    buckets: Buckets = field(default_factory=Buckets)

    def post(self, headers: Mapping[str, object], body: bytes) -> Answer:
        """Answer one request."""
        told = {name.lower(): text for name, text in headers.items() if isinstance(text, str)}
        try:
            self._admit(told, body)
        except SquadError as error:
            return _refused(error)
        return self.serve(told, body)

    def _admit(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raise what `_refused` answers unless the request may be served."""
        origin = header(headers, "origin")
        if origin and not _LOOPBACK.fullmatch(origin):
            raise PolicyViolation("no web page of another site may ask this")
        most = self.limits_of()
        limits.weigh(body, most.body_bytes)
        if not bears_token(headers, self._tokens()):
            self._hold_back("unproven", most.unproven_per_second, most.unproven_burst)
            raise UnprovenSender("send the bearer token of the interface")
        self._hold_back("mcp", most.requests_per_second, most.burst)
        limits.parse(body, most.depth)

    def _hold_back(self, name: str, per_second: float, burst: int) -> None:
        wait = self.buckets.wait(name, self.clock.now(), per_second=per_second, burst=burst)
        if wait:
            raise limits.TooOften("too many requests: slow down, and send this again", wait)

    def _tokens(self) -> tuple[str, ...]:
        try:
            return secrets_in(self.secrets.get("api-token"))
        except InvalidConfiguration:
            # Where there is no token, nobody can bear it.
            return ()


def _refused(error: SquadError) -> Answer:
    match error:
        case PolicyViolation():
            return problem(403, "Forbidden", str(error))
        case UnprovenSender():
            return problem(401, "Unauthorized", str(error), _CHALLENGE)
        case limits.TooLarge():
            return problem(413, "The body is too large", str(error))
        case limits.TooOften(wait=seconds):
            again = {"Retry-After": str(max(1, math.ceil(seconds)))}
            return problem(429, "Too many requests", str(error), again)
        case InvalidAlert():
            return problem(400, "Bad request", str(error))
    # The caller only needs to know that it may come again, not what is wrong inside.
    _log.warning("no request was admitted: %s: %s", type(error).__name__, error)
    return problem(503, "Try again", "nothing was done", {"Retry-After": "5"})


def only_posts() -> Answer:
    """The answer to GET and DELETE: there are no streams and no sessions to end."""
    return problem(405, "Method not allowed", "Send POST.", {"Allow": METHODS})
