"""What triage knows besides runbooks, loaded once from the YAML files beside this module."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from incident_squad.domain.values import IncidentType
from incident_squad.policy.triage.data import read_yaml
from incident_squad.policy.triage.patterns import Pattern, compile_all
from incident_squad.policy.triage.words import Vocabulary


@dataclass(frozen=True, slots=True)
class Wildcard:
    """A name with `*` for anything: hundreds are compiled in a millisecond, unlike expressions."""

    first: str
    middle: tuple[str, ...]
    last: str | None

    def match(self, text: str) -> bool:
        """Whether the whole text is such a name."""
        if self.last is None:
            return text == self.first
        if not text.startswith(self.first):
            return False
        place = len(self.first)
        for part in self.middle:
            found = text.find(part, place)
            if found < 0:
                return False
            place = found + len(part)
        return text.endswith(self.last) and len(text) - len(self.last) >= place


@dataclass(frozen=True, slots=True)
class Structure:
    """What metric namespaces, event sources and labels say. Keys are lower case."""

    namespaces: Mapping[str, IncidentType]
    sources: Mapping[str, IncidentType]
    health_services: Mapping[str, IncidentType]
    labels: tuple[tuple[Wildcard, Wildcard, IncidentType, str], ...]
    metrics: tuple[tuple[Wildcard, IncidentType, str], ...]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The vocabulary, the structure rules and the compiled lexicon (group -> patterns).

    A group is `<section>/<type>`, such as `products/database` or `certain/network`.
    """

    vocabulary: Vocabulary
    structure: Structure
    lexicon: Mapping[str, tuple[Pattern, ...]]


@lru_cache(maxsize=1)
def knowledge() -> Knowledge:
    """The knowledge of this package; loading takes some tens of milliseconds, once."""
    vocabulary = Vocabulary(read_yaml("glossary.yaml"))
    lexicon_data = read_yaml("lexicon.yaml")
    for sections in lexicon_data["subjects"].values():
        vocabulary.name(sections["products"].split())
    lexicon = _lexicon(lexicon_data, vocabulary)
    words = {
        word
        for name, group in lexicon.items()
        if not name.startswith("products")
        for pattern in group
        for need in pattern.needs
        for word in need
    }
    # A short product's name is too near to ordinary words: `spanner` and scanner.
    vocabulary.learn(words)
    vocabulary.learn(vocabulary.spoken)
    vocabulary.keep(read_yaml("ordinary.yaml")["words"].split())
    return Knowledge(vocabulary, _structure(read_yaml("structure.yaml")), lexicon)


def glob(pattern: str) -> Wildcard:
    """A compiled wildcard pattern; compare with lower-case text."""
    first, *middle = pattern.lower().split("*")
    return Wildcard(first, tuple(middle[:-1]), middle[-1] if middle else None)


def _lexicon(
    data: Mapping[str, Mapping[str, Mapping[str, str]]], vocabulary: Vocabulary
) -> dict[str, tuple[Pattern, ...]]:
    return {
        f"{section}/{kind}": compile_all(_lines(text), vocabulary)
        for part in data.values()
        for kind, sections in part.items()
        for section, text in sections.items()
    }


def _lines(text: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _structure(data: Mapping[str, Mapping[str, str]]) -> Structure:
    return Structure(
        namespaces=_by_word(data["namespaces"]),
        sources=_by_word(data["sources"]),
        health_services=_by_word(data["health_services"]),
        labels=tuple(
            (glob(name), glob(value), IncidentType(kind), line)
            for kind, text in data["labels"].items()
            for line in _lines(text)
            for name, _, value in [line.partition("=")]
        ),
        metrics=tuple(
            (glob(line), IncidentType(kind), line)
            for kind, text in data["metrics"].items()
            for line in _lines(text)
        ),
    )


def _by_word(lines: Mapping[str, str]) -> dict[str, IncidentType]:
    return {
        word.lower(): IncidentType(kind) for kind, line in lines.items() for word in line.split()
    }
