"""Careful reading of JSON from strangers: wrong types are absent, everything is bounded."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from incident_squad.domain.values import Environment

MAX_LABELS = 100
MAX_LINKS = 10
_MAX_LABEL_VALUE = 1000
_MAX_LINK = 2000
_MAX_BITS = 1024
_MILLISECONDS_FROM = 100_000_000_000
_YEARS = range(2000, 2100)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LINK = re.compile(r"https?://[^\s\"'<>`\\]+")
_MARKED = re.compile(r"[\[(]\s*([A-Za-z-]{2,20})\s*[\])]|\benv(?:ironment)?[:=]([A-Za-z-]{2,20})")
_PRODUCTION = frozenset({"prod", "production", "prd", "live"})
_STAGING = frozenset(
    [
        "staging",
        "stage",
        "stg",
        "preprod",
        "preproduction",
        "nonprod",
        "nonproduction",
        "test",
        "testing",
        "qa",
        "uat",
        "dev",
        "development",
        "sandbox",
    ]
)


def text(value: object, limit: int = 1000) -> str:
    """A scalar as clean text of at most `limit` characters; anything else is empty.

    Control characters and lone surrogates go: stores and pages cannot hold them.
    """
    if isinstance(value, bool):
        value = str(value).lower()
    elif isinstance(value, int | float):
        # Python refuses to print integers of thousands of digits.
        too_big = isinstance(value, int) and value.bit_length() > _MAX_BITS
        value = "" if too_big else str(value)
    if not isinstance(value, str):
        return ""
    return _CONTROL.sub(" ", value[: limit * 2]).strip()[:limit]


def first(payload: Mapping[str, object], *names: str, limit: int = 1000) -> str:
    """The first of these fields that says something."""
    for name in names:
        found = text(payload.get(name), limit)
        if found:
            return found
    return ""


def mapping(value: object) -> Mapping[str, object]:
    """An object, or an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """A list, or an empty one."""
    return value if isinstance(value, list) else []


def labels(*parts: Mapping[str, object]) -> dict[str, str]:
    """Scalars of several objects as labels, the first to name a label wins."""
    found: dict[str, str] = {}
    for part in parts:
        for name, value in part.items():
            key, said = text(name, 100), text(value, _MAX_LABEL_VALUE)
            if key and said and len(found) < MAX_LABELS:
                found.setdefault(key, said)
    return found


def links(*values: object) -> tuple[str, ...]:
    """The web addresses among the values, each once; other schemes are dropped."""
    found = (text(value, _MAX_LINK) for value in values)
    return tuple(dict.fromkeys(link for link in found if _LINK.fullmatch(link)))[:MAX_LINKS]


def links_in(said: str) -> list[str]:
    """Web addresses within a text, without the brackets and full stops around them."""
    return [link.rstrip(".,;:!?)]") for link in _LINK.findall(said)][:MAX_LINKS]


def moment(value: object) -> datetime | None:
    """A time in ISO 8601, RFC 2822 or epoch (milli)seconds; None when it is no sensible time.

    A time without zone is taken as UTC. Go's zero time means "not yet" and gives None.
    """
    said = text(value, 64)
    if not said:
        return None
    try:
        found = _parsed(said)
        if found.year not in _YEARS:
            return None
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        return None


def _parsed(said: str) -> datetime:
    if re.fullmatch(r"\d{9,16}(\.\d+)?", said):
        number = float(said)
        return datetime.fromtimestamp(number / 1000 if number > _MILLISECONDS_FROM else number, UTC)
    if said[0].isdigit():
        return datetime.fromisoformat(said)
    return parsedate_to_datetime(said)


def environment(*values: object) -> Environment | None:
    """The environment that the first telling value names (`prod`, `prod-eu`, `qa`), or None."""
    for value in values:
        words = re.split(r"[^a-z0-9]+", text(value, 200).lower())
        if _STAGING.intersection(words) or {"pre", "non"}.intersection(words[:1]):
            return Environment.STAGING
        if _PRODUCTION.intersection(words):
            return Environment.PRODUCTION
    return None


def environment_in(title: str) -> Environment | None:
    """The environment that a title marks, as in `[prod] High latency` or `on env:prod`."""
    return environment(*(a or b for a, b in _MARKED.findall(title[:300])))


def fingerprint(*parts: str) -> str:
    """A short stable name of the parts, for senders that give no key of their own."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def pairs(values: Iterable[object], name: str, value: str) -> dict[str, object]:
    """Turn AWS's lists of name-value objects into one object."""
    found = (mapping(entry) for entry in values)
    return {first(entry, name): entry.get(value) for entry in found if first(entry, name)}
