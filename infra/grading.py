"""Reports against weighted criteria, as a customer grades them. Pure.

A case is `{id, payload, criteria: [{id, weight, kind, path, ...}]}`. A path is dotted names into
the report's JSON, a list of such paths, or `*` for all of it. Kinds: `in` (`values`), `match`
(`any`), `match_all` (`all`), `not_match` (`none`, `allow_empty`), `min_items` (`n`), `number_range`
(`min`, `max`), `step_groups` (`groups`: each needs one step that matches one of its patterns).
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from incident_squad.domain.errors import InvalidConfiguration

Criterion = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GradingCase:
    """One alert and what its report must hold."""

    id: str
    payload: Any
    criteria: tuple[Criterion, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Grade:
    """What a report earned: `points` of `possible`, and the ids of criteria that it missed."""

    id: str
    points: float
    possible: float
    missed: tuple[str, ...]

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.points / self.possible if self.possible else 1.0


def read_grading(lines: Iterable[str]) -> list[GradingCase]:
    """Grading cases of a JSONL file; raises InvalidConfiguration naming the line."""
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(_case(json.loads(line)))
            except (ValueError, KeyError, TypeError, re.error) as error:
                message = f"line {number} is no grading case: {error!r}"
                raise InvalidConfiguration(message) from error
    return found


def _case(data: Mapping[str, Any]) -> GradingCase:
    criteria = tuple(data["criteria"])
    for criterion in criteria:
        if criterion["kind"] not in _KINDS:
            raise ValueError(f"unknown kind of criterion {criterion['kind']!r}")
    return GradingCase(str(data["id"]), data["payload"], criteria, str(data.get("title", "")))


def grade(case: GradingCase, report: Mapping[str, Any] | None) -> Grade:
    """Judge one report; without a report everything is missed."""
    points = possible = 0.0
    missed: list[str] = []
    for criterion in case.criteria:
        weight = float(criterion.get("weight", 1))
        possible += weight
        if report is not None and holds(criterion, report):
            points += weight
        else:
            missed.append(str(criterion.get("id", criterion["kind"])))
    return Grade(case.id, points, possible, tuple(missed))


def holds(criterion: Criterion, report: Mapping[str, Any]) -> bool:
    """Whether a report meets one criterion."""
    return _KINDS[criterion["kind"]](criterion, report)


def _value(report: Any, path: str) -> Any:  # noqa: ANN401 - any JSON
    if path == "*":
        return report
    for name in path.split("."):
        if not isinstance(report, Mapping) or name not in report:
            return None
        report = report[name]
    return report


def _text(report: Mapping[str, Any], path: str | Sequence[str]) -> str:
    paths = [path] if isinstance(path, str) else path
    return "\n".join(_flat(_value(report, each)) for each in paths)


def _flat(value: object) -> str:
    if isinstance(value, Mapping):
        return "\n".join(_flat(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return "\n".join(_flat(inner) for inner in value)
    return "" if value is None else str(value)


def _in(criterion: Criterion, report: Mapping[str, Any]) -> bool:
    said = _text(report, criterion["path"]).strip().lower()
    return said in {str(value).lower() for value in criterion["values"]}


def _match(criterion: Criterion, report: Mapping[str, Any]) -> bool:
    text = _text(report, criterion["path"])
    return any(re.search(pattern, text, re.DOTALL) for pattern in criterion["any"])


def _match_all(criterion: Criterion, report: Mapping[str, Any]) -> bool:
    text = _text(report, criterion["path"])
    return all(re.search(pattern, text, re.DOTALL) for pattern in criterion["all"])


def _not_match(criterion: Criterion, report: Mapping[str, Any]) -> bool:
    text = _text(report, criterion["path"])
    if not text.strip():
        return bool(criterion.get("allow_empty"))
    return not any(re.search(pattern, text) for pattern in criterion["none"])


def _min_items(criterion: Criterion, report: Mapping[str, Any]) -> bool:
    value = _value(report, criterion["path"])
    return isinstance(value, list) and len(value) >= criterion["n"]


def _number_range(criterion: Criterion, report: Mapping[str, Any]) -> bool:
    value = _value(report, criterion["path"])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return bool(criterion["min"] <= value <= criterion["max"])


def _step_groups(criterion: Criterion, report: Mapping[str, Any]) -> bool:
    value = _value(report, criterion["path"])
    steps = [_flat(step) for step in (value if isinstance(value, list) else [value])]
    return all(
        any(re.search(pattern, step, re.DOTALL) for pattern in group for step in steps)
        for group in criterion["groups"]
    )


_KINDS: dict[str, Callable[[Criterion, Mapping[str, Any]], bool]] = {
    "in": _in,
    "match": _match,
    "match_all": _match_all,
    "not_match": _not_match,
    "min_items": _min_items,
    "number_range": _number_range,
    "step_groups": _step_groups,
}
