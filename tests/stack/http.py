"""Plain HTTP for tests: every status is an answer."""

import urllib.error
import urllib.request
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """Status, headers and body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class _NoRedirect(urllib.request.HTTPRedirectHandler):
    seen: list[str] = field(default_factory=list)

    def redirect_request(self, *_: object) -> None:
        return None


def call(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    seconds: float = 30,
) -> Answer:
    """One request, straight to the address."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with opener.open(request, timeout=seconds) as found:
            return Answer(found.status, dict(found.headers), found.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read())
