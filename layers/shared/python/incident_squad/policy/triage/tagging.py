"""Sentences as rows of words with their classes, for facts and shares (`facts.yaml`)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from incident_squad.policy.triage.words import fold

_TOKEN = re.compile(r"\d+(?:[.,]\d+)?(?![\w.,]*[a-z])|[a-z0-9_]+(?:[-/][a-z0-9_]+)*|[^\s'\w]")
_THOUSANDS = re.compile(
    r"(?<![\d.,])([1-9]\d{0,2})(?:,(?=\d{3}\b)|(?<=\b\d) (?=\d{3}\b)|(?<=\b\d\d) (?=\d{3}\b)|"
    r" (?=000\b))"
)
"""What groups the digits of a number such as 15,000 or 15 000."""
_LONGEST = 5
_SHORTEST_PREFIX = 3
START = "^"


@dataclass(frozen=True, slots=True)
class Tagged:
    """One word or phrase. `keys` are its text and `@class` for each of its classes."""

    text: str
    keys: frozenset[str]

    def has(self, name: str) -> bool:
        """Whether it is of a class."""
        return "@" + name in self.keys


class Tagger:
    """Finds words and phrases of classes; the longest phrase wins."""

    def __init__(
        self,
        classes: Mapping[str, Iterable[str]],
        literals: Iterable[str],
        *,
        split_names: bool = True,
    ) -> None:
        self._split_names = split_names
        self._classes: dict[tuple[str, ...], set[str]] = {}
        self._prefixes: dict[str, set[str]] = {}
        self._starts: dict[str, int] = {}
        self._known: set[str] = set(literals)
        for name, phrases in classes.items():
            for phrase in phrases:
                self._add(name, phrase)

    def _add(self, name: str, phrase: str) -> None:
        if phrase.endswith("*") and " " in phrase:
            for ending in ("", "s", "es"):
                self._add(name, phrase[:-1] + ending)
            return
        if phrase.endswith("*"):
            self._prefixes.setdefault(fold(phrase[:-1]), set()).add("@" + name)
            return
        words = tuple(split(phrase))
        if words:
            self._classes.setdefault(words, set()).add("@" + name)
            self._starts[words[0]] = max(self._starts.get(words[0], 0), len(words))
            self._known.update(words if len(words) == 1 else ())

    def tag(self, sentence: str) -> list[Tagged]:
        """The row of a sentence (any case, accents or not), with a start mark."""
        words = [part for word in split(sentence) for part in self._parts(word)]
        row = [Tagged(START, frozenset({START}))]
        place = 0
        while place < len(words):
            size = self._longest(words, place)
            text = " ".join(words[place : place + size])
            keys = {text, *self._classes.get(tuple(words[place : place + size]), ())}
            keys.update(self._by_prefix(words[place]) if size == 1 else ())
            row.append(Tagged(text, frozenset(keys)))
            place += size
        return row

    def _parts(self, word: str) -> list[str]:
        if not self._split_names or ("-" not in word and "/" not in word):
            return [word]
        return [word] if word in self._known else re.split(r"[-/]", word)

    def _longest(self, words: list[str], place: int) -> int:
        most = min(self._starts.get(words[place], 1), _LONGEST, len(words) - place)
        for size in range(most, 1, -1):
            if tuple(words[place : place + size]) in self._classes:
                return size
        return 1

    def _by_prefix(self, word: str) -> set[str]:
        found: set[str] = set()
        for size in range(_SHORTEST_PREFIX, len(word) + 1):
            found |= self._prefixes.get(word[:size], set())
        return found


def split(sentence: str) -> list[str]:
    """Words, numbers (with a decimal point) and punctuation; an apostrophe separates."""
    return [
        token.replace(",", ".") if token[0].isdigit() and len(token) > 1 else token
        for token in _TOKEN.findall(_THOUSANDS.sub(r"\1", fold(sentence)))
    ]
