"""Who may read incidents: holders of the bearer token, or of a signed link."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from incident_squad.pages.web import Request
from incident_squad.steps.view_links import ViewLinks


@dataclass(frozen=True)
class Readers:
    """`tokens` gives the valid bearer tokens, one a line, so that they can rotate."""

    links: ViewLinks
    tokens: Callable[[], str]

    def admits(self, request: Request, subject: str) -> bool:
        """Whether the request carries the token, or a link for this subject."""
        view = request.query.get("view", "")
        return self.knows(request) or (bool(view) and self.links.admits(view, subject))

    def person(self, request: Request, subject: str) -> str:
        """Whom the request's link was made for; empty when it was made for anybody, or is bad."""
        return self.links.person(request.query.get("view", ""), subject) or ""

    def knows(self, request: Request) -> bool:
        """Whether the request carries the token."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        wanted = given.strip().encode("utf-8", "replace")
        valid = [token.strip().encode() for token in self.tokens().splitlines()]
        # Every token is compared, so that the time tells nothing.
        return sum(hmac.compare_digest(token, wanted) for token in valid if token) > 0
