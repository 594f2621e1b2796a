"""What clauses claim about an effect: who or what, how it fares, how far it reaches.

"No seat can be sold on any channel", "plus aucun billet vendu" and "the till takes no cards" are
composed of the same parts: an earning flow that stands still. The words of each part stand in
`claims.yaml`; here is only how a clause is read. What follows from it is told in `effects`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from incident_squad.policy.triage.data import read_yaml
from incident_squad.policy.triage.tagging import Tagged, Tagger

SUBJECTS = frozenset({"earning", "people", "inside", "serving", "machine"})
_ATTACK = frozenset({"attack"})
_DENIABLE = frozenset(
    [
        *("stopped", "failing", "fine", "feel", "use", "acts", "able"),
        *("rehearsed", "mistaken", "confirmed", "pretend", "ours", "visual", "defect"),
        *("intrudes", "grabbed", "seized", "repelled", "ransom"),
    ]
)
_BREAKS = frozenset(
    [
        *(",", ";", ":", "(", ")", ".", "!", "?", "\u2013", "\u2014", "but", "while", "although"),
        *("whereas", "though", "mais", "alors", "tandis", "because", "since", "car", "so"),
    ]
)
_PEOPLE = frozenset({"nobody", "no one", "no-one", "personne", "plus personne", "niemand", "nadie"})
_ALL_OF_IT = frozenset({"nothing", "rien", "plus rien", "nichts", "nada"})
_PRONOUNS = _PEOPLE | _ALL_OF_IT | {"none", "aucun", "aucune"}
_DOES = ("able", "acts", "fine", "unable")
_OPENING = 3
_NEGATION_REACH, _NOUN_REACH = 4, 5
_KEEPS = ("keep", "kept", "continu", "go on", "goes on")
_TAKES = frozenset(
    [
        *("take", "takes", "taking", "took", "need", "needs", "needed", "for", "wait", "waits"),
        *("met", "mettent", "prend", "prennent", "dure", "durent", "attend", "attendent"),
    ]
)
_TIMES = (
    "s",
    "m",
    "mn",
    "sec",
    "second",
    "seconde",
    "min",
    "minute",
    "hour",
    "heure",
    "h",
    "day",
    "jour",
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One clause: its words, their classes as said or denied, and how what it tells fares.

    `state` is `stopped`, `failing`, `fine`, `unfelt`, `unused` or `said` (nothing of the kind).
    """

    text: str
    said: frozenset[str]
    denied: frozenset[str]
    state: str
    opening: tuple[frozenset[str], ...] = ()

    @property
    def bad(self) -> bool:
        """Whether something does not work as it should."""
        return self.state in {"stopped", "failing"}

    def about(self, *names: str) -> bool:
        """Whether it speaks of one of these classes, said or denied."""
        return not (self.said | self.denied).isdisjoint(names)

    def opens(self, name: str, words: int) -> bool:
        """Whether one of its first words is of this class and not denied."""
        return name not in self.denied and any("@" + name in keys for keys in self.opening[:words])

    def says(self, *names: str) -> bool:
        """Whether it says something of every one of these classes."""
        return self.said.issuperset(names)


class ClaimReader:
    """The compiled `claims.yaml`."""

    def __init__(self, classes: Mapping[str, str]) -> None:
        phrases = {name: [p.strip() for p in text.split(",")] for name, text in classes.items()}
        self._tagger = Tagger(phrases, (), split_names=False)
        self.claims = lru_cache(maxsize=512)(self._read)

    def _read(self, sentence: str) -> tuple[Claim, ...]:
        """The claims of one sentence; a clause without a subject is about the one before."""
        found: list[Claim] = []
        for clause in _clauses(self._tagger.tag(sentence)[1:]):
            claim = _claim(clause)
            if found and claim.state != "said" and not claim.about(*SUBJECTS):
                kept = _ATTACK if found[-1].says("attack") else SUBJECTS
                claim = replace(claim, said=claim.said | (found[-1].said & kept))
            found.append(claim)
        return tuple(found)


def _clauses(row: Sequence[Tagged]) -> Iterator[list[Tagged]]:
    clause: list[Tagged] = []
    for place, word in enumerate(row):
        if word.text in _BREAKS and not _in_a_number(row, place):
            if clause:
                yield clause
            clause = []
        else:
            clause.append(word)
    if clause:
        yield clause


def _in_a_number(row: Sequence[Tagged], place: int) -> bool:
    """Whether a colon or dot stands in a time or an address (`06:40`)."""
    around = (*row[max(0, place - 1) : place], *row[place + 1 : place + 2])
    return row[place].text in {":", "."} and all(word.text[:1].isdigit() for word in around)


def _claim(clause: Sequence[Tagged]) -> Claim:
    said, denied = set[str](), set[str]()
    for place, word in enumerate(clause):
        names = {key[1:] for key in word.keys if key.startswith("@")}
        if _negated(clause, place):
            denied |= names & _DENIABLE
            said |= names - _DENIABLE
        else:
            said |= names
        if word.text in _PEOPLE:
            said |= {"people", "whole"}
    state = _state(clause, said, denied)
    if state == "stopped" and _empty(clause) and denied & {"fine", "acts", "able"}:
        said.add("whole")
        if any(word.text in _ALL_OF_IT for word in clause):
            said.add("serving")
    text = " ".join(word.text for word in clause)
    opening = tuple(word.keys for word in clause[:_OPENING])
    return Claim(text, frozenset(said), frozenset(denied), state, opening)


def _state(clause: Sequence[Tagged], said: set[str], denied: set[str]) -> str:
    empty = _empty(clause)
    if "feel" in denied and "stopped" not in said and not (empty is None and "unable" in said):
        return "unfelt"
    if "use" in denied and "stopped" not in said and (empty is not None or _facing(said)):
        return "unfelt" if empty is None else "unused"
    if _stopped(said, denied) or empty:
        return "fine" if empty and "failing" in denied else "stopped"
    if "failing" in said or _takes_long(clause):
        return "failing"
    return "fine" if denied & {"failing", "stopped"} or "fine" in said else "said"


def _facing(said: set[str]) -> bool:
    return bool(said & {"earning", "people"})


def _stopped(said: set[str], denied: set[str]) -> bool:
    without_service = {"without", "people", "serving"} <= said
    return bool(said & {"stopped", "unable"} or denied & {"fine", "acts"} or without_service)


def _takes_long(clause: Sequence[Tagged]) -> bool:
    """Whether something takes so many seconds, minutes or hours."""
    words = [word.text for word in clause]
    return not _TAKES.isdisjoint(words) and any(
        one[:1].isdigit() and (two.rstrip("s") in _TIMES or one.lstrip("0123456789.") in _TIMES)
        for one, two in pairwise((*words, "."))
    )


def _negated(clause: Sequence[Tagged], place: int) -> bool:
    before = clause[max(0, place - _NEGATION_REACH) : place]
    return any(word.has("negated") or word.has("empty") for word in before)


def _empty(clause: Sequence[Tagged]) -> bool | None:
    """Whether `no` or `nobody` is said of what faces people; None when neither is said."""
    for place, word in enumerate(clause):
        if word.has("empty"):
            after = clause[place + 1 : place + 1 + _NOUN_REACH]
            if word.text in _PRONOUNS:
                return any(w.has(name) for w in after for name in _DOES)
            noun = next((w for w in after if any(w.has(name) for name in SUBJECTS)), None)
            if noun is None or noun.has("machine"):
                return False
            if noun.has("people") and any(w.text in {"n", "ne"} for w in after):
                return True
            return noun.has("earning") or any(w.has(name) for w in after for name in _DOES)
    return None


@lru_cache(maxsize=1)
def claim_reader() -> ClaimReader:
    """The reader of this package's words, compiled once."""
    return ClaimReader({name: str(text) for name, text in read_yaml("claims.yaml").items()})
