"""The door for MCP: who may speak it and how much, before any of the protocol is understood."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from incident_squad.domain.errors import InvalidAlert, InvalidConfiguration, SquadError
from incident_squad.intake import limits
from incident_squad.intake.proof import bears_token, header, secrets_in
from incident_squad.pages.web import Answer, problem
from incident_squad.ports import Secrets

_log = logging.getLogger(__name__)

METHODS = "POST"
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="mcp"'}
_LOOPBACK = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")


@dataclass(frozen=True)
class McpApi:
    """Who passes is given to `serve`; strangers learn nothing and cost nothing."""

    secrets: Secrets
    serve: Callable[[Mapping[str, str], bytes], Answer]

    def post(self, headers: Mapping[str, object], body: bytes) -> Answer:
        """Answer one request."""
        told = {name.lower(): text for name, text in headers.items() if isinstance(text, str)}
        return self._refusal(told, body) or self.serve(told, body)

    def _refusal(self, headers: Mapping[str, str], body: bytes) -> Answer | None:
        origin = header(headers, "origin")
        if origin and not _LOOPBACK.fullmatch(origin):
            return problem(403, "Forbidden", "No web page of another site may ask this.")
        try:
            known = bears_token(headers, self._tokens())
            limits.weigh(body)
            if known:
                limits.parse(body)
        except limits.TooLarge as large:
            return problem(413, "The body is too large", str(large))
        except InvalidAlert as invalid:
            return problem(400, "Bad request", str(invalid))
        except SquadError as error:
            _log.warning("no token could be read: %s: %s", type(error).__name__, error)
            return problem(503, "Try again", "Nothing was done.", {"Retry-After": "5"})
        if not known:
            return problem(401, "Unauthorized", "Send the bearer token.", _CHALLENGE)
        return None

    def _tokens(self) -> tuple[str, ...]:
        try:
            return secrets_in(self.secrets.get("api-token"))
        except InvalidConfiguration:
            # Where there is no token, nobody can bear it.
            return ()


def only_posts() -> Answer:
    """The answer to GET and DELETE: there are no streams and no sessions to end."""
    return problem(405, "Method not allowed", "Send POST.", {"Allow": METHODS})
