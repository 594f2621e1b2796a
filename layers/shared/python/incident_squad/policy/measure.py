"""Makes one form of what metric sources answer: finite numbers, bounded, the oldest first."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.metric import (
    MOST_POINTS,
    MOST_ROWS,
    MOST_SERIES,
    Aggregation,
    MetricQuery,
    MetricResult,
    MetricStatus,
    Point,
    Series,
)

RawPoint = tuple[float, float]
"""Seconds since 1970, and a value that may be anything a float can be."""

_NAME, _TEXT, _MESSAGE = 200, 300, 500
_FIRST, _LAST = 0.0, 253_402_300_799.0


@dataclass(frozen=True)
class RawSeries:
    """A series as the source gave it."""

    name: str
    points: Sequence[RawPoint]


@dataclass(frozen=True)
class RawAnswer:
    """What an adapter made of a source's answer.

    `counted` says that the points are things of a list, so that only their number has a meaning.
    """

    series: Sequence[RawSeries] = ()
    unit: str | None = None
    link: str | None = None
    rows: Sequence[Mapping[str, object]] = ()
    note: str = ""
    counted: bool = False


def measure(query: MetricQuery, raw: RawAnswer, now: datetime) -> MetricResult:
    """The normalised answer; without a finite value its status is `no_data`."""
    clean = [RawSeries(one.name, _clean(one.points, latest=query.latest)) for one in raw.series]
    full = [one for one in clean if one.points]
    values = [value for one in full for _, value in one.points]
    value = _counted(raw, values) if raw.counted else aggregate(values, query.aggregation)
    dropped = sum(len(one.points) for one in raw.series) > 0 and not values
    nothing = "every value is NaN or infinite, as in a division by zero" if dropped else _NOTHING
    status = MetricStatus.NO_DATA if value is None else MetricStatus.OK
    return MetricResult(
        source=query.source,
        query=query.query,
        aggregation="count" if raw.counted else query.aggregation,
        status=status,
        value=value,
        unit=raw.unit,
        series=tuple(_excerpt(one) for one in full[:MOST_SERIES]),
        rows=tuple(_row(row) for row in raw.rows[:MOST_ROWS]),
        series_count=len(full),
        point_count=len(values),
        time_range=query.time_range,
        observed_at=now,
        link=raw.link,
        message=(raw.note or ("" if value is not None else nothing))[:_MESSAGE],
    )


_NOTHING = "the source has no value for this query in this time range"


def failed(
    query: MetricQuery, status: MetricStatus, message: str, now: datetime, link: str | None = None
) -> MetricResult:
    """An answer without a value; the message says what to mend."""
    return MetricResult(
        source=query.source,
        query=query.query,
        aggregation=query.aggregation,
        status=status,
        time_range=query.time_range,
        observed_at=now,
        link=link,
        message=" ".join(message.split())[:_MESSAGE],
    )


def as_evidence(result: MetricResult) -> Evidence:
    """The answer as an observation; its rows sum each series up."""
    return Evidence(
        id=result.evidence_id or "",
        source=f"metric:{result.source}",
        query=result.query[:2000],
        status=EvidenceStatus(result.status.value),
        value=result.value,
        rows=result.rows or tuple(_summary(series) for series in result.series),
        detail=result.message,
        observed_at=result.observed_at,
        measured=result,
    )


def _summary(series: Series) -> dict[str, str]:
    values = [point.value for point in series.points]
    return {
        "series": series.name,
        "last": f"{values[-1]:g}",
        "min": f"{min(values):g}",
        "max": f"{max(values):g}",
    }


def aggregate(values: Sequence[float], how: Aggregation) -> float | None:
    """One number of many; None when there are none or the number is beyond what a float holds."""
    if not values:
        return None
    if how == "count":
        return float(len(values))
    if how in {"max", "min"}:
        return max(values) if how == "max" else min(values)
    total = _total(values)
    if how == "sum":
        return total
    count = len(values)
    mean = math.fsum(value / count for value in values) if total is None else total / count
    return min(max(mean, min(values)), max(values))


def _total(values: Sequence[float]) -> float | None:
    try:
        return math.fsum(values)
    except OverflowError:
        return None


def excerpt(points: Sequence[RawPoint], most: int = MOST_POINTS) -> list[RawPoint]:
    """At most so many points: the first, the last, and the extremes of the stretches between."""
    if len(points) <= most:
        return list(points)
    inner, pairs = points[1:-1], (most - 2) // 2
    kept = [points[0]]
    for number in range(pairs):
        part = inner[len(inner) * number // pairs : len(inner) * (number + 1) // pairs]
        low = min(part, key=lambda point: point[1])
        high = max(part, key=lambda point: point[1])
        kept += sorted({low, high})
    return [*kept, points[-1]]


def _clean(points: Iterable[RawPoint], *, latest: bool) -> list[RawPoint]:
    finite = sorted(
        (at, value)
        for at, value in points
        if math.isfinite(value) and math.isfinite(at) and _FIRST <= at <= _LAST
    )
    return finite[-1:] if latest else finite


def _counted(raw: RawAnswer, values: Sequence[float]) -> float:
    return float(max(len(values), len(raw.rows)))


def _excerpt(series: RawSeries) -> Series:
    return Series(
        name=" ".join(series.name.split())[:_NAME],
        points=tuple(
            Point(at=datetime.fromtimestamp(at, UTC), value=value)
            for at, value in excerpt(series.points)
        ),
    )


def _row(row: Mapping[str, object]) -> dict[str, str]:
    return {str(name)[:_NAME]: " ".join(str(value).split())[:_TEXT] for name, value in row.items()}
