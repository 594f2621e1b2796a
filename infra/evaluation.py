"""How good answers are: triage against labelled alerts. Pure: no file, no clock, no model.

A labelled alert is `{id, payload, expect: {type, severity, runbook_hint?}, format?, tags?}`; `type`
and `severity` list what is accepted, severity null means that the alert states no impact.
Reports against criteria are scored in `infra.grading`.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from incident_squad.domain.errors import InvalidConfiguration
from incident_squad.domain.values import IncidentType, Severity

NO_TOPIC = "other"
_BINS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.01)


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled alert, without its payload's meaning."""

    id: str
    payload: Any
    types: tuple[str, ...]
    severities: tuple[str, ...]
    topic: str
    format: str
    tags: tuple[str, ...]

    @property
    def telling(self) -> bool:
        """Whether some type would be wrong."""
        return len(self.types) < len(IncidentType)


@dataclass(frozen=True, slots=True)
class Answer:
    """What triage said of one alert; `runbook` is None when none fits."""

    type: str
    severity: str
    runbook: str | None = None
    confidence: float | None = None
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ratio:
    """So many of so many."""

    right: int
    of: int

    @property
    def share(self) -> float:
        """0 to 1; 1 when there was nothing to get wrong."""
        return self.right / self.of if self.of else 1.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of similar confidence: how sure they were, and how often they were right."""

    low: float
    high: float
    said: float
    answers: Ratio


@dataclass(frozen=True, slots=True)
class Miss:
    """A wrong answer. `cost` ranks misses: a SEV1 put too low and a sure error weigh most."""

    case: Case
    answer: Answer | None
    what: str
    cost: float


@dataclass(frozen=True, slots=True)
class Scorecard:
    """All figures of one evaluation; confusions count (expected, answered)."""

    type: Ratio
    severity: Ratio
    both: Ratio
    runbook: Ratio
    types: Mapping[str, Ratio]
    severities: Mapping[str, Ratio]
    tags: Mapping[str, Ratio]
    formats: Mapping[str, Ratio]
    confusion: Mapping[tuple[str, str], int]
    severity_confusion: Mapping[tuple[str, str], int]
    too_low: int
    too_high: int
    calibration: tuple[Bin, ...]
    calibration_error: float
    misses: tuple[Miss, ...]


def read_cases(lines: Iterable[str]) -> list[Case]:
    """Labelled alerts of a JSONL file; raises InvalidConfiguration naming the line."""
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(_case(json.loads(line)))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                message = f"line {number} is no labelled alert: {error!r}"
                raise InvalidConfiguration(message) from error
    return found


def _case(data: Mapping[str, Any]) -> Case:
    expect = data["expect"]
    types = _listed(expect["type"])
    unknown = set(types) - set(IncidentType)
    severities = _listed(expect.get("severity"))
    unknown |= set(severities) - set(Severity)
    if unknown or not types:
        raise ValueError(f"unknown or missing labels {sorted(unknown)}")
    return Case(
        id=str(data["id"]),
        payload=data["payload"],
        types=types,
        severities=severities,
        topic=str(expect.get("runbook_hint") or NO_TOPIC),
        format=str(data.get("format", "")),
        tags=tuple(str(tag) for tag in data.get("tags") or ()),
    )


def _listed(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value] if value else []
    return tuple(str(entry) for entry in values)


def score(
    cases: Sequence[Case],
    answers: Mapping[str, Answer],
    topics: Mapping[str, Sequence[str]] | None = None,
) -> Scorecard:
    """Compare answers (by the id of their case) with the labels; a missing answer is wrong.

    `topics` maps a topic to the runbooks that treat it; without it runbooks are not judged. General
    runbooks (none fits, false alarm) name no topic, so they are not judged either.
    """
    telling = [case for case in cases if case.telling]
    judged = [case for case in cases if case.severities]
    rows = [
        (case, answers[case.id]) for case in cases if case.id in answers and len(case.types) == 1
    ]
    graded = [(c, answers[c.id]) for c in judged if c.id in answers]
    bins = _calibration([(c, answers[c.id]) for c in telling if c.id in answers])
    return Scorecard(
        type=_ratio(telling, answers, _type_right),
        severity=_ratio(judged, answers, _severity_right),
        both=_ratio(
            [case for case in judged if case.telling],
            answers,
            lambda c, a: _type_right(c, a) and _severity_right(c, a),
        ),
        runbook=_runbooks(cases, answers, topics or {}),
        types=_grouped(telling, answers, lambda case: case.types[:1]),
        severities={
            s: _ratio([c for c in judged if c.severities == (s,)], answers, _severity_right)
            for s in Severity
        },
        tags=_grouped(telling, answers, lambda case: case.tags),
        formats=_grouped(telling, answers, lambda case: (case.format,)),
        confusion=Counter((c.types[0], a.type) for c, a in rows),
        severity_confusion=Counter(
            (c.severities[0], a.severity) for c, a in graded if len(c.severities) == 1
        ),
        too_low=sum(_distance(c, a) > 0 for c, a in graded),
        too_high=sum(_distance(c, a) < 0 for c, a in graded),
        calibration=bins,
        calibration_error=_calibration_error(bins),
        misses=_misses(cases, answers),
    )


def _ratio(
    cases: Sequence[Case],
    answers: Mapping[str, Answer],
    right: Callable[[Case, Answer], bool],
) -> Ratio:
    return Ratio(sum(c.id in answers and right(c, answers[c.id]) for c in cases), len(cases))


def _grouped(
    cases: Sequence[Case],
    answers: Mapping[str, Answer],
    groups: Callable[[Case], Iterable[str]],
) -> dict[str, Ratio]:
    members: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        for group in groups(case):
            members[group].append(case)
    return {name: _ratio(members[name], answers, _type_right) for name in sorted(members)}


def _type_right(case: Case, answer: Answer) -> bool:
    return answer.type in case.types


def _severity_right(case: Case, answer: Answer) -> bool:
    return answer.severity in case.severities


def _distance(case: Case, answer: Answer) -> int:
    """By how many levels the severity is too low (positive) or too high (negative)."""
    ranks = [Severity(severity).rank for severity in case.severities]
    rank = Severity(answer.severity).rank
    return rank - max(ranks) if rank > max(ranks) else min(0, rank - min(ranks))


def _runbooks(
    cases: Sequence[Case], answers: Mapping[str, Answer], topics: Mapping[str, Sequence[str]]
) -> Ratio:
    specific = {runbook for listed in topics.values() for runbook in listed}
    named = [
        (case, answers[case.id].runbook)
        for case in cases
        if case.topic in topics and case.id in answers and answers[case.id].runbook in specific
    ]
    return Ratio(sum(runbook in topics[case.topic] for case, runbook in named), len(named))


def _calibration(rows: Sequence[tuple[Case, Answer]]) -> tuple[Bin, ...]:
    found = []
    for low, high in pairwise(_BINS):
        inside = [
            (answer.confidence, _type_right(case, answer))
            for case, answer in rows
            if answer.confidence is not None and low <= answer.confidence < high
        ]
        if inside:
            said = sum(confidence for confidence, _ in inside) / len(inside)
            right = sum(right for _, right in inside)
            found.append(Bin(low, min(high, 1.0), round(said, 3), Ratio(right, len(inside))))
    return tuple(found)


def _calibration_error(bins: Sequence[Bin]) -> float:
    """The mean gap between what was said and what was right, weighed by the answers."""
    total = sum(each.answers.of for each in bins)
    gaps = sum(abs(each.said - each.answers.share) * each.answers.of for each in bins)
    return round(gaps / total, 4) if total else 0.0


def _misses(cases: Sequence[Case], answers: Mapping[str, Answer]) -> tuple[Miss, ...]:
    found = [miss for case in cases if (miss := _miss(case, answers.get(case.id)))]
    return tuple(sorted(found, key=lambda miss: (-miss.cost, miss.case.id)))


def _miss(case: Case, answer: Answer | None) -> Miss | None:
    if answer is None:
        return Miss(case, None, "no answer", 10.0)
    what, cost = [], 0.0
    if case.telling and not _type_right(case, answer):
        what.append(f"type {answer.type} instead of {' or '.join(case.types)}")
        cost += 1 + (answer.confidence or 0.0)
    levels = _distance(case, answer) if case.severities else 0
    if levels:
        what.append(f"severity {answer.severity} instead of {' or '.join(case.severities)}")
        cost += 2.0 * levels if levels > 0 else -1.0 * levels
    return Miss(case, answer, ", ".join(what), cost) if what else None
