"""Facts that an alert states about its effect, sentence by sentence, by `facts.yaml`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain

from incident_squad.policy.triage.data import read_yaml
from incident_squad.policy.triage.shares import Share, Unit, shares
from incident_squad.policy.triage.tagging import Tagged, Tagger
from incident_squad.policy.triage.templates import Fact, compile_fact, literals

_NUMBERS = frozenset({"one", "two", "three", "un", "une", "deux", "trois", "single", "every"})


@dataclass(slots=True)
class Stated:
    """What was found: facts with the words that state them, and shares."""

    facts: dict[str, str] = field(default_factory=dict)
    shares: list[Share] = field(default_factory=list)

    def share(self) -> Share | None:
        """The worst share that is measured; a rule's bound only when nothing is measured."""
        some = [share for share in self.shares if share.percent]
        sure = [share for share in some if share.sure] or some
        return max(sure, key=lambda share: share.percent, default=None)


class FactFinder:
    """The compiled `facts.yaml`."""

    def __init__(
        self, data: Mapping[str, Mapping[str, object]], shared: Mapping[str, object]
    ) -> None:
        self._facts = {name: _fact(name, part) for name, part in data["facts"].items()}
        quantities = {f"share {n}": float(n) for n in data["quantities"]}
        classes = {name: _phrases(text) for name, text in data["classes"].items()}
        for name, text in shared.items():
            classes[name] = [*classes[name], *(p for p in _phrases(text) if not _counts(p))]
        classes |= {f"share {n}": _phrases(text) for n, text in data["quantities"].items()}
        spelt = {
            word
            for fact in self._facts.values()
            for template in (*chain.from_iterable(fact.says.values()), *fact.unless)
            for word in literals(template)
        }
        self._quantities = quantities
        self._share_signs = {f"@{name}" for name in ("percent", *Unit, *quantities)}
        self._tagger = Tagger(classes, spelt)
        self._tagged = lru_cache(maxsize=512)(self._tag)

    def _tag(self, sentence: str) -> tuple[tuple[Tagged, ...], frozenset[str]]:
        row = tuple(self._tagger.tag(sentence))
        return row, frozenset(key for word in row for key in word.keys)

    def read(self, sentences: Iterable[str], names: Sequence[str]) -> Stated:
        """Find the named facts, and all shares, in sentences."""
        stated = Stated()
        for sentence in sentences:
            row, keys = self._tagged(sentence)
            if not keys.isdisjoint(self._share_signs):
                stated.shares.extend(shares(row, self._quantities))
            for name in names:
                words = None if name in stated.facts else self._facts[name].stated(row, keys)
                if words:
                    stated.facts[name] = words[:80]
        return stated


@lru_cache(maxsize=1)
def fact_finder() -> FactFinder:
    """The finder of this package's data, compiled once."""
    words = read_yaml("claims.yaml")
    return FactFinder(
        read_yaml("facts.yaml"),
        {
            Unit.USERS: words["people"],
            Unit.REVENUE: words["earning"],
            Unit.REQUESTS: words["serving"],
        },
    )


def _fact(name: str, part: object) -> Fact:
    said = part if isinstance(part, dict) else {}
    return compile_fact(name, {key: str(value) for key, value in said.items()})


def _counts(phrase: str) -> bool:
    """Whether a phrase begins with a number, which shares are made of (`one customer`)."""
    return phrase.partition(" ")[0] in _NUMBERS and " " in phrase


def _phrases(text: object) -> list[str]:
    return [phrase.strip() for phrase in str(text).split(",") if phrase.strip()]
