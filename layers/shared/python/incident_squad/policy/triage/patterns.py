"""The pattern language of signals and of the lexicon.

A pattern is a few words, in any order, near one another in one sentence. Words are compared in
their canonical form, so `connection pool exhausted` also finds "pool de connexions saturé",
"PoolConnectionExhaustion" and "conection pool is full".

- `a|b`: one of several words.
- `lag*`: a word that begins so.
- `<database>`: what fails is a database; `<network|application>`: either of the two. A condition,
  which says nothing by itself.
- `!word`: not when this word is near.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from incident_squad.policy.triage.reading import Reading
from incident_squad.policy.triage.words import STOP, Vocabulary, fold

NEGATIONS = frozenset(
    {"no", "nothing", "rien", "without", "notof", "aucun", "aucune", "sans", "nor", "ni", "never"}
)
_SLACK = 4
_SPELT_OUT = 2


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern; every one of `needs` is a set of words of which one must be there."""

    text: str
    needs: tuple[frozenset[str], ...]
    prefixes: tuple[str, ...]
    unless: frozenset[str]
    about: frozenset[str]
    negative: bool

    @property
    def window(self) -> int:
        """How far apart its words may stand."""
        return len(self.needs) + len(self.prefixes) + _SLACK


@dataclass(frozen=True, slots=True)
class Match:
    """A pattern found; `weight` is the mean weight of its words, 0 when negated."""

    pattern: Pattern
    weight: float


def compile_pattern(text: str, vocabulary: Vocabulary) -> Pattern:
    """Compile one pattern; unknown words are compared by their stem."""
    needs: list[frozenset[str]] = []
    prefixes: list[str] = []
    unless: set[str] = set()
    about: set[str] = set()
    plain: list[str] = []
    for item in fold(text).replace("/", " ").split():
        if item.startswith("<") and item.endswith(">"):
            about.update(item[1:-1].split("|"))
        elif item.startswith("!"):
            unless.update(_canonical(item[1:], vocabulary))
        elif item.endswith("*"):
            prefixes.append(item[:-1])
        elif "|" in item:
            needs.append(
                frozenset(word for i in item.split("|") for word in _canonical(i, vocabulary))
            )
        else:
            plain.append(item)
    needs.extend(frozenset({word}) for word in _canonical(" ".join(plain), vocabulary))
    negative = any(need & NEGATIONS or "not" in need for need in needs)
    return Pattern(
        text, tuple(needs), tuple(prefixes), frozenset(unless), frozenset(about), negative
    )


def _canonical(words: str, vocabulary: Vocabulary) -> list[str]:
    pieces = words.replace("-", " ").replace("_", " ").replace("'", " ").split()
    whole = [vocabulary.exact(word) for word in pieces if word not in STOP]
    if len(pieces) == 1 and vocabulary.knows(words):
        return [vocabulary.exact(words)]
    merged = {start: (end, word) for start, end, word in vocabulary.merge(whole)}
    found, place = [], 0
    while place < len(whole):
        end, word = merged.get(place, (place + 1, whole[place]))
        found.append(word)
        place = end
    return found


def compile_all(lines: Iterable[str], vocabulary: Vocabulary) -> tuple[Pattern, ...]:
    """Compile patterns; those that mean the same as an earlier one are dropped."""
    found: dict[object, Pattern] = {}
    for line in lines:
        pattern = compile_pattern(line, vocabulary)
        meaning = (frozenset(pattern.needs), pattern.prefixes, pattern.unless, pattern.about)
        if pattern.needs or pattern.prefixes:
            found.setdefault(meaning, pattern)
    return tuple(found.values())


class Matcher:
    """Finds many patterns at once: each is looked for only where its rarest word occurs."""

    def __init__(self, groups: Mapping[str, Iterable[Pattern]]) -> None:
        self._anchored: dict[str, list[tuple[str, Pattern]]] = {}
        self._prefixed: list[tuple[str, Pattern]] = []
        often: dict[str, int] = {}
        listed = [(group, pattern) for group, patterns in groups.items() for pattern in patterns]
        for _, pattern in listed:
            for need in pattern.needs:
                for word in need:
                    often[word] = often.get(word, 0) + 1
        for group, pattern in listed:
            if not pattern.needs:
                self._prefixed.append((group, pattern))
                continue
            anchor = min(pattern.needs, key=lambda need: sum(often[word] for word in need))
            for word in anchor:
                self._anchored.setdefault(word, []).append((group, pattern))

    def find(self, reading: Reading, about: str | None = None) -> dict[str, list[Match]]:
        """Matches by group; `about` is the type of what fails, for `<database>`."""
        found: dict[str, list[Match]] = {}
        seen: set[int] = set()
        candidates = [c for word in reading.places for c in self._anchored.get(word, ())]
        for group, pattern in (*candidates, *self._prefixed):
            if id(pattern) in seen or (pattern.about and about not in pattern.about):
                continue
            seen.add(id(pattern))
            weight = _weight(pattern, reading)
            if weight is not None:
                found.setdefault(group, []).append(Match(pattern, weight))
        return found


def _weight(pattern: Pattern, reading: Reading) -> float | None:
    places = [
        sorted(place for word in need for place in reading.places.get(word, ()))
        for need in pattern.needs
    ]
    places += [
        sorted(p for word, at in reading.places.items() if word.startswith(prefix) for p in at)
        for prefix in pattern.prefixes
    ]
    if not places or not all(places):
        return None
    places.sort(key=len)
    best: float | None = None
    for anchor in places[0][:12]:
        group = _near(anchor, places[1:], reading, pattern.window)
        if group is None:
            continue
        weight = _weigh(group, reading, pattern)
        if weight is not None and (best is None or weight > best):
            best = weight
    return best


def _near(anchor: int, others: list[list[int]], reading: Reading, window: int) -> list[int] | None:
    group = [anchor]
    at = reading.tokens[anchor].position
    for places in others:
        free = [place for place in places if place not in group]
        if not free:
            return None
        closest = min(free, key=lambda place: abs(reading.tokens[place].position - at))
        if abs(reading.tokens[closest].position - at) > window:
            return None
        group.append(closest)
    return group


def _weigh(group: list[int], reading: Reading, pattern: Pattern) -> float | None:
    tokens = [reading.tokens[place] for place in group]
    if pattern.unless and _unless_near(tokens[0].position, reading, pattern):
        return None
    weight = sum(token.weight for token in tokens) / len(tokens)
    if len(tokens) >= _SPELT_OUT and all(token.name for token in tokens):
        weight *= 1.8
    if not pattern.negative and _negated(min(group), reading):
        return 0.0
    return weight


def _unless_near(position: int, reading: Reading, pattern: Pattern) -> bool:
    return any(
        abs(reading.tokens[place].position - position) <= pattern.window
        for word in pattern.unless
        for place in reading.places.get(word, ())
    )


def _negated(first: int, reading: Reading) -> bool:
    position = reading.tokens[first].position
    for back in (1, 2):
        if first - back < 0:
            return False
        token = reading.tokens[first - back]
        if position - token.position <= back and token.word in NEGATIONS:
            return True
    return False
