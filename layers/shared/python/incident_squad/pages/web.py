"""Requests and answers of the HTTP interface, without any framework."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
NOTHING_ALLOWED = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

_LARGEST_FORM = 20_000


@dataclass(frozen=True)
class Request:
    """What the interface needs of a request; names of headers are in lower case."""

    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def wants_page(self) -> bool:
        """Whether a browser asks, and not a program."""
        return "text/html" in self.headers.get("accept", "")

    def fields(self) -> dict[str, Any]:
        """The fields of a form or a JSON object; nothing of a body that is neither, or too big."""
        if len(self.body) > _LARGEST_FORM:
            return {}
        try:
            if "json" in self.headers.get("content-type", ""):
                content = json.loads(self.body)
                return content if isinstance(content, dict) else {}
            form = parse_qs(self.body, max_num_fields=10)
        except (ValueError, RecursionError):
            return {}
        return {name: values[-1] for name, values in form.items()}


@dataclass(frozen=True)
class Answer:
    """Status, body and headers; the content type is one of the headers."""

    status: int
    body: str
    headers: Mapping[str, str]


def answer(status: int, body: str, kind: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with the headers that all answers have."""
    always = {**SECURITY_HEADERS, "Content-Security-Policy": NOTHING_ALLOWED, "Content-Type": kind}
    return Answer(status, body, {**always, **(headers or {})})


def json_answer(content: object, status: int = 200) -> Answer:
    """Content as JSON."""
    return answer(status, json.dumps(content, ensure_ascii=False), "application/json")


def problem(
    status: int, title: str, detail: str = "", headers: Mapping[str, str] | None = None
) -> Answer:
    """What went wrong, as problem details (RFC 9457)."""
    content: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    if detail:
        content["detail"] = detail
    body = json.dumps(content, ensure_ascii=False)
    return answer(status, body, "application/problem+json", headers)
