"""Small charts of metrics that are evidence, as numbers for inline SVG."""

from collections.abc import Mapping, Sequence

from incident_squad.domain.evidence import Evidence
from incident_squad.domain.metric import Point
from incident_squad.domain.record import IncidentRecord
from incident_squad.domain.runbook import Runbook
from incident_squad.domain.values import Moment, Value

WIDTH, HEIGHT = 320, 72
_LINES = 3
_MARGIN = 0.08


class Chart(Value):
    """Lines as SVG points in a box of `WIDTH` by `HEIGHT`; `threshold` is a height in it."""

    lines: tuple[str, ...]
    threshold: float | None
    limit: float | None
    start: Moment
    end: Moment
    lowest: float
    highest: float
    last: float
    unit: str


def charts(record: IncidentRecord, runbooks: Mapping[str, Runbook]) -> dict[str, Chart]:
    """A chart for each evidence that has a series of points, by the evidence's id."""
    drawn = ((seen.id, _chart(seen, _limit(seen, runbooks))) for seen in record.evidence)
    return {name: chart for name, chart in drawn if chart is not None}


def _chart(seen: Evidence, limit: float | None) -> Chart | None:
    if seen.measured is None:
        return None
    series = [s.points for s in seen.measured.series if len(s.points) > 1][:_LINES]
    if not series:
        return None
    points = [point for line in series for point in line]
    start, end = min(p.at for p in points), max(p.at for p in points)
    values = [point.value for point in points]
    low, high = _bounds([*values, *([limit] if limit is not None else [])])
    return Chart(
        lines=tuple(_line(line, (start, end), (low, high)) for line in series),
        threshold=None if limit is None else _height(limit, (low, high)),
        limit=limit,
        start=start,
        end=end,
        lowest=min(values),
        highest=max(values),
        last=series[0][-1].value,
        unit=seen.measured.unit or "",
    )


def _limit(seen: Evidence, runbooks: Mapping[str, Runbook]) -> float | None:
    """The number that the runbook's check compares with, when it is one."""
    runbook = runbooks.get(seen.runbook_id or "")
    for check in runbook.checks if runbook else ():
        value = check.supports.value
        if check.title == seen.question and isinstance(value, int | float):
            return None if isinstance(value, bool) else float(value)
    return None


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * _MARGIN or abs(high) * _MARGIN or 1.0
    return low - room, high + room


def _line(
    points: Sequence[Point], times: tuple[Moment, Moment], bounds: tuple[float, float]
) -> str:
    whole = (times[1] - times[0]).total_seconds() or 1.0
    return " ".join(
        f"{(point.at - times[0]).total_seconds() / whole * WIDTH:.1f}"
        f",{_height(point.value, bounds):.1f}"
        for point in points
    )


def _height(value: float, bounds: tuple[float, float]) -> float:
    low, high = bounds
    return round(HEIGHT - (value - low) / (high - low) * HEIGHT, 1)
