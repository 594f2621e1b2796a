"""The leak gate: nothing private in public text.

It stands before every text that customers read, whoever wrote it. It errs on the side of silence:
a false alarm costs a plainer sentence, a miss costs a secret.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from incident_squad.domain.catalog import Catalog, HttpTarget
from incident_squad.domain.values import Value
from incident_squad.policy.leak_patterns import COMPILED, IPV6, SECRETS, unaccented
from incident_squad.policy.public_words import PUBLIC_WORDS

_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһкмтвнАЕОРСУХІЈЅКМТВНαοερνιΑΒΕΖΗΙΚΜΝΟΡΤΥΧ‐‑‒–—−․。｡",  # noqa: RUF001 - the very point
    "aeopcyxijsdhkmtbhAEOPCYXIJSKMTBHaoepviABEZHIKMNOPTYX------...",
)
_DEFANGED = re.compile(r"\s*[\[({<]\s*(?:\.|dot|point)\s*[\])}>]\s*", re.IGNORECASE)
_DEFANGED_COLON = re.compile(r"\s*[\[({]\s*:\s*[\])}]\s*")
_SHORT = 2
"""Names up to this length are too common to be looked for."""


class Leak(Value):
    """Something private. `text` is the passage as the gate saw it: never show it to the public."""

    kind: str
    text: str


def leaks(text: str, catalog: Catalog, private: Iterable[str] = ()) -> list[Leak]:
    """What is private in a text that customers would read; empty means it may go out.

    `private` adds names that only this incident knows: the alert's service, resource and hosts.
    Public names of services and the company's name are allowed as they stand.
    """
    plain = normalise(text)
    allowed = tuple(_spans(_public_names(catalog), plain))
    known_anyway = _catalog_words(catalog)
    known = _identifiers(catalog, known_anyway) + tuple(_telling(private, known_anyway))
    found = (
        *_by_pattern(plain),
        *_addresses(plain),
        *_by_name(plain, known),
        *_people(plain, catalog),
    )
    return [
        Leak(kind=kind, text=plain[start:end].strip()[:80])
        for kind, start, end in found
        if not any(first <= start and end <= last for first, last in allowed)
    ]


def redact(text: str, catalog: Catalog | None = None) -> str:
    """The text without secrets, for readers inside the company: everything else stays."""
    words = tuple(re.escape(word) for word in (catalog.policies.secret_words if catalog else ()))
    patterns = SECRETS + tuple(re.compile(word, re.IGNORECASE) for word in words if word)
    for pattern in patterns:
        text = pattern.sub("[redacted]", text)
    return text


def normalise(text: str) -> str:
    """One spelling for what looks the same: nothing invisible, no accents, look-alikes Latin."""
    text = unaccented(text).translate(_LOOKALIKES)
    text = "".join(char for char in text if char in "\n\t" or unicodedata.category(char)[0] != "C")
    return _DEFANGED_COLON.sub(":", _DEFANGED.sub(".", text))


Found = tuple[str, int, int]


def _by_pattern(text: str) -> Iterator[Found]:
    for kind, pattern in COMPILED:
        yield from ((kind, *match.span()) for match in pattern.finditer(text))


def _addresses(text: str) -> Iterator[Found]:
    for match in IPV6.finditer(text):
        written = match[0].split("%")[0]
        if any(_is_address(form) for form in (written, written.rstrip(".:"))):
            yield ("ip", *match.span())


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return True


def _by_name(text: str, names: tuple[tuple[str, str], ...]) -> Iterator[Found]:
    for kind, name in names:
        yield from ((kind, *span) for span in _name_pattern(name).finditer_spans(text))


def _people(text: str, catalog: Catalog) -> Iterator[Found]:
    for person in catalog.people.values():
        full = normalise(person.name)
        yield from (("person", *span) for span in _name_pattern(full).finditer_spans(text))
        for part in re.findall(r"[^\W\d_]{3,}", full):
            # A surname can be a word ("May", "Price"), so a part counts as it is written only.
            pattern = re.compile(rf"(?<!\w){re.escape(part)}(?!\w)")
            yield from (("person", *match.span()) for match in pattern.finditer(text))


class _Name:
    """A name as a whole word, whatever its case; `*` and `?` of a glob stand for anything."""

    def __init__(self, name: str) -> None:
        body = re.escape(normalise(name)).replace(r"\*", r"[\w.-]*").replace(r"\?", r"[\w.-]")
        self.pattern = re.compile(rf"(?<![\w]){body}(?![\w])", re.IGNORECASE)

    def finditer_spans(self, text: str) -> Iterator[tuple[int, int]]:
        return (match.span() for match in self.pattern.finditer(text))


@lru_cache(maxsize=2048)
def _name_pattern(name: str) -> _Name:
    return _Name(name)


def _spans(names: Iterable[str], text: str) -> Iterator[tuple[int, int]]:
    for name in names:
        body = re.escape(normalise(name))
        # "API" is allowed, "api-01" and "api.shop.example" are not.
        pattern = re.compile(rf"(?<![\w.@/:-]){body}(?![\w@/:-]|\.\w)", re.IGNORECASE)
        yield from (match.span() for match in pattern.finditer(text))


def _public_names(catalog: Catalog) -> tuple[str, ...]:
    named = (name for service in catalog.services.values() for name in service.public_name.values())
    return tuple(name for name in (catalog.company, *named) if name.strip())


def _identifiers(catalog: Catalog, words: frozenset[str]) -> tuple[tuple[str, str], ...]:
    named: list[tuple[str, str]] = [
        ("secret", word) for word in catalog.policies.secret_words if word
    ]
    for key, service in catalog.services.items():
        named += [("service", name) for name in (key, *service.aliases)]
        named += [("host", name) for name in service.resources if len(name.strip("*?-. ")) > 1]
    for key, target in catalog.targets.items():
        values = [key, target.reader or "", target.writer or ""]
        if isinstance(target, HttpTarget):
            values += [target.base_url, target.base_url.split("://")[-1]]
        values += [str(value) for value in target.fields.values() if len(str(value)) > _SHORT]
        named += [("target", value) for value in values]
    named += [("team", name) for key, team in catalog.teams.items() for name in (key, team.name)]
    named += [("person", name) for name in catalog.people]
    return tuple(
        (kind, name) for kind, name in named if kind == "secret" or not _plain(name, words)
    )


def _telling(private: Iterable[str], words: frozenset[str]) -> Iterator[tuple[str, str]]:
    yield from (
        ("alert", name) for name in private if len(name) > _SHORT and not _plain(name, words)
    )


def _plain(name: str, words: frozenset[str]) -> bool:
    """Whether a name is no more than a word that customers know anyway, like `payments`."""
    word = name.strip().lower()
    return not word or word in PUBLIC_WORDS or word in words


def _catalog_words(catalog: Catalog) -> frozenset[str]:
    texts = list(_public_names(catalog))
    for service in catalog.services.values():
        texts += service.customers_use_it_to.values()
    return frozenset(re.findall(r"\w+", " ".join(texts).lower()))
