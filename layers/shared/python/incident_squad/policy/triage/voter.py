"""A second opinion: which failures alerts with such words were, by weights that were learned.

The weights stand in `votes.json`. `python -m infra.training` computes them, reproducibly, from our
own labelled alerts and sentences (events/labelled), one weight for a word and a label, so that the
words that spoke loudest can be shown. The voter never decides alone: its votes are clues among
the clues of the rules.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from incident_squad.domain.values import IncidentType
from incident_squad.policy.triage.evidence import Clue
from incident_squad.policy.triage.reading import Reading, Token

UNIT = 100.0
"""Weights are stored as whole hundredths."""
_PAIR, _BEGINNING = 0.7, 0.5
_LONG, _BEGINS, _NEAR = 6, 5, 2
_FAINT = 0.05
_SHOWN = 3
LOUDNESS, DOUBT = 1.2, 0.02
"""What a vote is worth in points: so much for each factor e above or below an even vote."""


@dataclass(frozen=True, slots=True)
class Vote:
    """Probabilities of runbooks (`other/<type>` for none) and of types; the loudest words."""

    labels: Mapping[str, float]
    types: Mapping[IncidentType, float]
    words: Mapping[IncidentType, Sequence[str]]
    known: float
    """Which share of the alert's words was learned, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Probabilities of labels, what each word added to which, and how much was known."""

    shares: Mapping[str, float]
    parts: Mapping[str, Sequence[tuple[float, str]]]
    known: float


class Weights:
    """Labels, a bias by label, and weights by word (label's number and weight in turn)."""

    def __init__(
        self,
        names: Sequence[str],
        bias: Sequence[float],
        weights: Mapping[str, Sequence[int]],
    ) -> None:
        self.names = tuple(names)
        self.bias = tuple(bias)
        self.weights = weights

    def weigh(self, found: Mapping[str, float]) -> Weighed:
        """What features say of the labels."""
        scores = list(self.bias)
        parts: dict[str, list[tuple[float, str]]] = {name: [] for name in self.names}
        known = 0.0
        for word, value in found.items():
            pairs = self.weights.get(word, ())
            known += value * value if pairs else 0.0
            for place, weight in zip(pairs[::2], pairs[1::2], strict=True):
                part = value * weight / UNIT
                scores[place] += part
                parts[self.names[place]].append((part, word[2:]))
        return Weighed(dict(zip(self.names, softmax(scores), strict=True)), parts, known)


class Voter:
    """Votes on runbooks and types: weights, and the type of each label."""

    def __init__(self, labels: Mapping[str, IncidentType], weights: Weights) -> None:
        self.labels = dict(labels)
        self.weights = weights

    def __call__(self, reading: Reading) -> Vote:
        """The vote on one alert."""
        weighed = self.weights.weigh(features(reading))
        types = dict.fromkeys(IncidentType, 0.0)
        spoken: dict[IncidentType, list[tuple[float, str]]] = {kind: [] for kind in IncidentType}
        for label, share in weighed.shares.items():
            types[self.labels[label]] += share
            spoken[self.labels[label]] += weighed.parts[label]
        words = {kind: loudest(said) for kind, said in spoken.items()}
        return Vote(weighed.shares, types, words, weighed.known)


def loudest(parts: Sequence[tuple[float, str]]) -> tuple[str, ...]:
    """The few words that added most."""
    top = sorted((part for part in parts if part[0] > 0), key=lambda part: (-part[0], part[1]))
    return tuple(dict.fromkeys(word for _, word in top[: _SHOWN * 2]))[:_SHOWN]


def softmax(scores: Sequence[float]) -> list[float]:
    """Scores as shares of 1."""
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def features(reading: Reading) -> dict[str, float]:
    """The words of an alert, pairs of neighbours and beginnings of long words, of length 1."""
    found: dict[str, float] = {}
    before: Token | None = None
    for token in reading.tokens:
        if token.word.isdigit() or token.weight <= _FAINT:
            before = before if token.word.isdigit() else None
            continue
        loud = min(token.weight, 1.0)
        _raise(found, "w:" + token.word, loud)
        if len(token.word) >= _LONG:
            _raise(found, "p:" + token.word[:_BEGINS], _BEGINNING * loud)
        if before and not token.name and token.position - before.position <= _NEAR:
            _raise(found, f"b:{before.word} {token.word}", _PAIR * loud)
        before = None if token.name else token
    length = math.sqrt(sum(value * value for value in found.values())) or 1.0
    return {word: value / length for word, value in found.items()}


def _raise(found: dict[str, float], word: str, value: float) -> None:
    found[word] = max(found.get(word, 0.0), value)


@lru_cache(maxsize=1)
def voter() -> Voter:
    """The voter of this package's weights; loading takes some milliseconds, once."""
    data = stored("votes")
    labels = {label: IncidentType(kind) for label, kind in data["labels"].items()}
    return Voter(labels, Weights(tuple(labels), data["bias"], data["weights"]))


def stored(name: str) -> dict[str, Any]:
    """Weights as `infra.training` wrote them."""
    text = (Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def clues(vote: Vote) -> list[Clue]:
    """The vote as clues for and against each type; the less it knows the words, the fainter."""
    even = 1 / len(vote.types)
    found = []
    for kind, share in vote.types.items():
        weight = LOUDNESS * vote.known * math.log((share + DOUBT) / (even + DOUBT))
        words = ", ".join(vote.words[kind])
        found.append(Clue(kind, weight, f"words such as {words} ({share:.0%} of the vote)"))
    return found
