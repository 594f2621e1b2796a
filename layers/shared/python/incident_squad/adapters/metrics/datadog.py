"""Datadog: timeseries queries and deployment events of its v1 API."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from pydantic import BaseModel

from incident_squad.adapters.metrics.wire import Source, Wire
from incident_squad.domain.errors import InvalidParameter, TargetUnavailable
from incident_squad.domain.metric import Change, MetricQuery, TimeRange
from incident_squad.domain.metric_sources import DatadogSource
from incident_squad.policy.measure import RawAnswer, RawSeries
from incident_squad.ports import Clock, Secrets

NAME = "Datadog"
DEPLOYMENT_TAG = "event_type:deployment"
"""The tag that makes an event a deployment, beside `service:<name>`."""


class _Unit(BaseModel):
    name: str


class _Series(BaseModel):
    metric: str = ""
    scope: str = ""
    pointlist: list[tuple[float, float | None]]
    unit: list[_Unit | None] | None = None


class _Answer(BaseModel):
    status: str = "ok"
    error: str | None = None
    series: list[_Series] | None = None


class _Event(BaseModel):
    title: str
    date_happened: float
    tags: list[str] = []


class _Events(BaseModel):
    events: list[_Event]


class Datadog:
    """Reads one organisation with GET requests."""

    def __init__(self, source: DatadogSource, secrets: Secrets, clock: Clock) -> None:
        self._source = source
        self._secrets = secrets
        self._clock = clock

    def ask(self, query: MetricQuery) -> RawAnswer:
        """Every series of the answer; Datadog chooses the interval of their points."""
        spoken = [("query", query.query), *_bounds(query.time_range, "from", "to")]
        answer = self._wire().read("/api/v1/query", spoken, _Answer)
        if answer.error or answer.status != "ok":
            why = answer.error or answer.status
            raise InvalidParameter(f"{NAME} cannot answer this query, mend it: {why}")
        if answer.series is None:
            raise TargetUnavailable(f"{NAME} does not answer as its API should: series")
        return RawAnswer(
            series=[_series(one) for one in answer.series],
            unit=_unit(answer.series),
            link=self._link(query),
        )

    def changes(self, service: str, time_range: TimeRange) -> list[Change]:
        """Events of the service that are tagged as deployments."""
        tags = {f"service:{service}", DEPLOYMENT_TAG}
        asked = [*_bounds(time_range, "start", "end"), ("tags", ",".join(sorted(tags)))]
        found = self._wire().read("/api/v1/events", asked, _Events)
        return [
            Change(
                source="datadog",
                what=one.title[:300],
                at=datetime.fromtimestamp(one.date_happened, UTC),
            )
            for one in found.events
            if tags <= set(one.tags)
        ]

    def _wire(self) -> Wire:
        headers = {
            "DD-API-KEY": self._secrets.get(self._source.api_key).strip(),
            "DD-APPLICATION-KEY": self._secrets.get(self._source.app_key).strip(),
        }
        return Wire(Source(NAME, self._source.url, headers), self._clock)

    def _link(self, query: MetricQuery) -> str:
        start, end = query.time_range.start.timestamp(), query.time_range.end.timestamp()
        params = {
            "query": query.query,
            "start": round(start * 1000),
            "end": round(end * 1000),
            "live": "false",
        }
        return f"https://app.{self._source.site}/metric/explorer?{urlencode(params)}"


def _bounds(time_range: TimeRange, first: str, last: str) -> list[tuple[str, str]]:
    start, end = int(time_range.start.timestamp()), int(time_range.end.timestamp())
    return [(first, str(start)), (last, str(max(end, start + 1)))]


def _series(one: _Series) -> RawSeries:
    points = [(at / 1000, value) for at, value in one.pointlist if value is not None]
    return RawSeries(f"{one.metric}{{{one.scope}}}", points)


def _unit(series: list[_Series]) -> str | None:
    """`byte` or `byte/second`, when all series agree on it."""
    units = {"/".join(unit.name for unit in one.unit or [] if unit) for one in series}
    return units.pop() or None if len(units) == 1 else None
