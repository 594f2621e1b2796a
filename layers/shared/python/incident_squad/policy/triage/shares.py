"""Shares that an alert states: how many percent of what.

"45% of requests", "un client sur deux", "most customers", "success rate 62 %". A share of a
resource (CPU, disk, pool, hosts) and a threshold of a rule are no impact.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile

from incident_squad.policy.triage.tagging import Tagged

_REACH = 9
_ADJECTIVES = 2
_ONE = 1.0
"""The percent of \"one customer\": one region or one page is no such thing."""
_THINGS = 5
_PARTS = frozenset({"of", "of the", "des", "de", "d", "du", "der"})
_USUAL = frozenset(
    {"normal", "usual", "habituel", "habituelle", "expected", "d'habitude", "normale"}
)
_STOPS = frozenset({".", ";", "(", ")"})
_SMALL = {
    "one": 1,
    "un": 1,
    "une": 1,
    "two": 2,
    "deux": 2,
    "three": 3,
    "trois": 3,
    "four": 4,
    "quatre": 4,
    "five": 5,
    "cinq": 5,
    "six": 6,
    "eight": 8,
    "huit": 8,
    "ten": 10,
    "dix": 10,
}
_MAGNITUDES = {"k": 1_000, "m": 1_000_000}
_EVERY = frozenset({"every", "each", "chaque"})
_ORDINALS = {
    word: number
    for number, words in enumerate(
        ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"), 2
    )
    for word in (words, f"{number}th")
}
_WHOLE = frozenset({"every", "today", "s", "all", "about", "roughly", "environ", "some"})
_OUT_OF = frozenset({"of", "in", "sur", "/", "out of", "des", "parmi", "among"})


class Unit(StrEnum):
    """What a share is a share of."""

    USERS = "users"
    REVENUE = "revenue"
    REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class Share:
    """`percent` of `unit` is affected; not `sure` when a rule gives it as a bound."""

    percent: float
    unit: Unit
    sure: bool = True


def shares(row: Sequence[Tagged], quantities: Mapping[str, float]) -> Iterator[Share]:
    """The shares in one tagged sentence; `quantities` maps classes of words to percents."""
    for place in range(1, len(row)):
        word = row[place]
        if place + 1 < len(row) and row[place + 1].has("percent"):
            yield from _percentage(row, place)
        elif _count(word.text):
            yield from _fraction(row, place)
        if word.text in _EVERY and place + 1 < len(row) and row[place + 1].text in _ORDINALS:
            each = _unit_after(row, place + 2) or _things(row, place + 1)
            if each:
                yield Share(round(100 / _ORDINALS[row[place + 1].text], 1), each)
        for name, percent in quantities.items():
            unit = _unit_after(row, place + 1) if word.has(name) else None
            if unit and (percent > _ONE or unit is Unit.USERS):
                yield Share(percent, unit)


def _things(row: Sequence[Tagged], place: int) -> Unit | None:
    """Requests, when every so-manieth of something is spoken of: `every second` is a time."""
    following = row[place + 1 : place + 2]
    thing = row[place].text != "second" and following and not following[0].has("resource")
    return Unit.REQUESTS if thing else None


def _percentage(row: Sequence[Tagged], place: int) -> Iterator[Share]:
    try:
        percent = float(row[place].text)
    except ValueError:
        return
    before = _back(row, place)
    if percent > 100 or any(w.has("threshold") for w in before[-2:]):  # noqa: PLR2004
        return
    if row[place + 2 : place + 3] and row[place + 2].has("threshold"):
        return
    left = _of_the_usual(row, place + 2)
    bound = any(word.has("bound") for word in before[-2:])
    unit = (
        _unit_after(row, place + 2)
        or _unit_before(before, row[place + 2 : place + 5])
        or _failing(row, place + 2, before)
    )
    if unit is None:
        return
    affected = 100 - percent if left else _affected(percent, before)
    if affected is not None:
        yield Share(affected, unit, sure=not bound or unit is not Unit.REQUESTS)


def _of_the_usual(row: Sequence[Tagged], place: int) -> bool:
    """Whether a share is what is left of the usual (`at 70 % of the normal rate`)."""
    following = row[place : place + _ADJECTIVES + 2]
    return any(word.text in _USUAL for word in following) and bool(
        following and following[0].text in _PARTS
    )


def _failing(row: Sequence[Tagged], place: int, before: Sequence[Tagged]) -> Unit | None:
    """Requests, when a share of things that are no resource fails (`40 % of quotes fail`)."""
    if place >= len(row) or row[place].text not in _PARTS:
        return None
    after = list(takewhile(_goes_on, row[place + 1 : place + 2 + _THINGS]))
    if any(word.has("resource") for word in (*after, *before)):
        return None
    wrong = ("fault", "fails", "cannot", "trouble", "not")
    failing = any(word.has(name) for word in (*after, *before) for name in wrong)
    return Unit.REQUESTS if failing else None


def _goes_on(word: Tagged) -> bool:
    return word.text not in _STOPS and word.text != ","


def _affected(percent: float, before: Sequence[Tagged]) -> float | None:
    """The affected share: what is missing of a success rate, what fell, nothing that rose."""
    good = any(word.has("good") for word in before)
    fell = any(word.has("fall") for word in before)
    to = bool(before) and before[-1].text in {"to", "a", "at", "jusqu a"}
    if good:
        return percent if fell and not to else 100 - percent
    if fell and to and not any(word.has("fault") for word in before):
        return None
    if any(word.has("rise") for word in before) and not any(w.has("fault") for w in before):
        return None
    return percent


def _back(row: Sequence[Tagged], place: int) -> list[Tagged]:
    start = place
    while start > 1 and place - start < _REACH and row[start - 1].text not in {".", ";"}:
        start -= 1
    return list(row[start:place])


def _unit_after(row: Sequence[Tagged], place: int) -> Unit | None:
    unknown = 0
    while place < len(row):
        word = row[place]
        if word.has("resource"):
            return None
        found = _unit(word)
        last_of_name = not _unit_next(row, place)
        if found and (last_of_name or not word.has("glue")):
            return _joined(found, row, place)
        if not word.has("glue"):
            unknown += 1
        if unknown > _ADJECTIVES or word.text in _STOPS or word.text == ",":
            return None
        if word.text in {"for", "on", "to", "pour", "and", "et", "since", "after", "depuis", "at"}:
            return None
        place += 1
    return None


def _unit_next(row: Sequence[Tagged], place: int) -> bool:
    return place + 1 < len(row) and _unit(row[place + 1]) is not None


def _joined(unit: Unit, row: Sequence[Tagged], place: int) -> Unit | None:
    """`users` unless the very next word makes it a resource (`user sessions pool`)."""
    following = row[place + 1] if place + 1 < len(row) else None
    if following is not None and following.has("resource") and not following.has("fault"):
        return None
    return unit


def _unit(word: Tagged) -> Unit | None:
    return next(
        (unit for unit in (Unit.REVENUE, Unit.USERS, Unit.REQUESTS) if word.has(unit)), None
    )


def _unit_before(before: Sequence[Tagged], after: Sequence[Tagged]) -> Unit | None:
    if after and after[0].has("glue"):
        after = after[1:]
    if after and after[0].has("resource"):
        return None
    for word in reversed(before):
        if word.has("fault") or word.has("good"):
            return Unit.REQUESTS
        if word.has("resource") or word.text == ",":
            break
        if word.has(Unit.USERS) or word.has(Unit.REVENUE):
            return _unit(word)
    return Unit.REQUESTS if after and after[0].has("fault") else None


def _fraction(row: Sequence[Tagged], place: int) -> Iterator[Share]:
    part = _count(row[place].text) or 0
    unit: Unit | None = None
    at = place + 1
    if at < len(row) and row[at].text not in _OUT_OF | {"out"}:
        if row[at].has("resource"):
            return
        unit, at = _unit(row[at]) or Unit.REQUESTS, at + 1
    if at + 1 >= len(row) or row[at].text not in _OUT_OF | {"out"}:
        return
    at += 2 if row[at].text == "out" else 1
    while at < len(row) and (row[at].has("glue") or row[at].text in _WHOLE):
        at += 1
    whole = _count(row[at].text) if at < len(row) else None
    unit = unit or _unit_after(row, at + 1)
    if whole and unit and 0 < part <= whole:
        yield Share(round(100 * part / whole, 1), unit)


def _count(text: str) -> int | None:
    if text[:-1].isdigit() and text[-1] in _MAGNITUDES:
        return int(text[:-1]) * _MAGNITUDES[text[-1]]
    return _SMALL.get(text) or (int(text) if text.isdigit() else None)
