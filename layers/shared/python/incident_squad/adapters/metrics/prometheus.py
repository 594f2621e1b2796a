"""Prometheus: instant and range queries of its HTTP API."""

import base64
import math
from typing import Literal
from urllib.parse import urlencode

from pydantic import BaseModel

from incident_squad.adapters.metrics.wire import Source, Wire
from incident_squad.domain.metric import MetricQuery
from incident_squad.domain.metric_sources import PrometheusSource
from incident_squad.policy.measure import RawAnswer, RawPoint, RawSeries
from incident_squad.ports import Clock, Secrets

NAME = "Prometheus"
POINTS = 120
"""Points of a series that a range query asks for, at most."""

_QUERY_SECONDS = 4


class _Series(BaseModel):
    metric: dict[str, str]
    values: list[RawPoint] = []
    value: RawPoint | None = None


class _Many(BaseModel):
    resultType: Literal["matrix", "vector"]  # noqa: N815 - the vendor's name
    result: list[_Series]


class _One(BaseModel):
    resultType: Literal["scalar"]  # noqa: N815 - the vendor's name
    result: RawPoint


class _Text(BaseModel):
    resultType: Literal["string"]  # noqa: N815 - the vendor's name
    result: tuple[float, str]


class _Answer(BaseModel):
    status: Literal["success"]
    data: _Many | _One | _Text
    warnings: list[str] = []


class Prometheus:
    """Reads one Prometheus with GET requests."""

    def __init__(self, source: PrometheusSource, secrets: Secrets, clock: Clock) -> None:
        self._source = source
        self._secrets = secrets
        self._clock = clock

    def ask(self, query: MetricQuery) -> RawAnswer:
        """Every series of the answer, with at most 120 points each."""
        wire = Wire(Source(NAME, self._source.url, self._headers()), self._clock)
        common = [("query", query.query), ("timeout", f"{_QUERY_SECONDS}s")]
        start, end = query.time_range.start.timestamp(), query.time_range.end.timestamp()
        if query.latest:
            answer = wire.read("/api/v1/query", [*common, ("time", f"{end:.3f}")], _Answer)
        else:
            times = (("start", f"{start:.3f}"), ("end", f"{end:.3f}"), ("step", f"{step(query)}s"))
            answer = wire.read("/api/v1/query_range", [*common, *times], _Answer)
        note = "; ".join(answer.warnings)
        return RawAnswer(series=_series(answer.data), link=self._link(query), note=note)

    def _headers(self) -> dict[str, str]:
        if self._source.secret is None:
            return {}
        secret = self._secrets.get(self._source.secret).strip()
        if ":" in secret:
            return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
        return {"Authorization": f"Bearer {secret}"}

    def _link(self, query: MetricQuery) -> str:
        minutes = math.ceil(query.time_range.seconds / 60)
        params = {
            "g0.expr": query.query,
            "g0.tab": "0",
            "g0.range_input": f"{minutes}m",
            "g0.end_input": f"{query.time_range.end:%Y-%m-%d %H:%M:%S}",
        }
        return f"{self._source.link_url or self._source.url}/graph?{urlencode(params)}"


def step(query: MetricQuery) -> int:
    """Seconds between the points of a range query."""
    return max(1, math.ceil(query.time_range.seconds / POINTS))


def _series(data: _Many | _One | _Text) -> list[RawSeries]:
    if isinstance(data, _Text):
        return []
    if isinstance(data, _One):
        return [RawSeries("scalar", [data.result])]
    return [
        RawSeries(_name(one.metric), one.values if one.value is None else [one.value])
        for one in data.result
    ]


def _name(labels: dict[str, str]) -> str:
    inside = ",".join(f'{k}="{v}"' for k, v in sorted(labels.items()) if k != "__name__")
    return f"{labels.get('__name__', '')}{{{inside}}}" if inside else labels.get("__name__", "{}")
