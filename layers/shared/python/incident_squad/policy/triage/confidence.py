"""From the points of the types to a calibrated probability that the best type is right."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from incident_squad.domain.values import IncidentType
from incident_squad.policy.triage.data import read_yaml


def margin(points: Mapping[IncidentType, float]) -> float:
    """How far the best type is ahead of the second, in points; little evidence counts half."""
    first, second = sorted(points.values(), reverse=True)[:2]
    return round((first - second) * min(1.0, first / 2.0), 3)


def confidence(points: Mapping[IncidentType, float]) -> float:
    """The probability (0 to 1) that the type with the most points is right."""
    return interpolate(_table(), margin(points))


def interpolate(table: Sequence[tuple[float, float]], value: float) -> float:
    """The value of a piecewise linear curve, flat beyond its ends."""
    if value <= table[0][0]:
        return table[0][1]
    for (x1, y1), (x2, y2) in pairwise(table):
        if value <= x2:
            return round(y1 + (y2 - y1) * (value - x1) / (x2 - x1), 3)
    return table[-1][1]


@lru_cache(maxsize=1)
def _table() -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in read_yaml("calibration.yaml")["points"])
