"""How a page is made: a template, one stylesheet, and headers that allow nothing else."""

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from incident_squad.domain.values import iso
from incident_squad.pages.web import Answer, answer

_LABEL = re.compile(r"([^:]{2,40}?)\s?: (.+)")
_FOLDER = Path(__file__).parent / "templates"


def page(
    template: str,
    content: Mapping[str, object],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """A page from its template; every value is escaped, whatever it holds."""
    body = _templates().get_template(f"{template}.html.j2").render(content)
    policy = {"Content-Security-Policy": _policy()}
    return answer(status, body, "text/html; charset=utf-8", {**policy, **(headers or {})})


def moment(value: datetime, style: str = "%d %b %Y, %H:%M") -> Markup:
    """A time for people and machines, always in UTC."""
    return Markup('<time datetime="{}">{} UTC</time>').format(iso(value), value.strftime(style))


def clock(value: datetime) -> Markup:
    """A time of day for lists whose page says that all times are UTC."""
    return Markup('<time datetime="{}">{}</time>').format(iso(value), f"{value:%H:%M:%S}")


def observed(value: object) -> str:
    """An observed value: numbers without needless zeros."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def told(text: str) -> tuple[list[str], list[tuple[str, str]]]:
    """A status update taken apart: its sentences, and its `Label: value` lines.

    The heading is left out, the page has its own.
    """
    sentences, _, facts = text.partition("\n\n")[2].rpartition("\n\n")
    rows = [_LABEL.fullmatch(line) for line in facts.split("\n")]
    if not sentences or not all(rows):
        return text.split("\n"), []
    return sentences.split("\n"), [(row[1], row[2]) for row in rows if row]


@lru_cache(maxsize=1)
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(moment=moment, clock=clock, observed=observed, told=told)
    templates.globals["style"] = Markup(_text("style.css"))  # noqa: S704 - our own file
    templates.globals["script"] = Markup(_text("live.js"))  # noqa: S704 - our own file
    return templates


@lru_cache(maxsize=4)
def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _policy() -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_digest('style.css')}'",
            f"script-src '{_digest('live.js')}'",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def _digest(name: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(_text(name).encode()).digest()).decode()
