"""PagerDuty: incidents, log entries, on-calls, analytics and change events of its REST API."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict

from incident_squad.adapters.metrics.wire import SECONDS, Source, Wire
from incident_squad.domain.errors import InvalidParameter, TargetUnavailable
from incident_squad.domain.metric import Change, MetricQuery, TimeRange
from incident_squad.domain.metric_sources import PagerDutySource
from incident_squad.domain.values import iso
from incident_squad.policy.measure import RawAnswer, RawSeries
from incident_squad.policy.pagerduty_query import PagerDutyQuestion, read_pagerduty
from incident_squad.ports import Clock, Secrets

NAME = "PagerDuty"
PAGE, PAGES = 100, 3
_TOO_LATE = 1.0
_DAILY_FROM_SECONDS = 2 * 86_400

Params = list[tuple[str, str]]


class _Reference(BaseModel):
    summary: str | None = None


class _Record(BaseModel):
    """What the lists have in common; fields that a list lacks stay empty."""

    id: str = ""
    title: str | None = None
    summary: str | None = None
    status: str | None = None
    urgency: str | None = None
    type: str | None = None
    created_at: AwareDatetime | None = None
    timestamp: AwareDatetime | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    escalation_level: int | None = None
    service: _Reference | None = None
    user: _Reference | None = None
    schedule: _Reference | None = None
    escalation_policy: _Reference | None = None


class _Page(BaseModel):
    more: bool = False
    incidents: list[_Record] | None = None
    log_entries: list[_Record] | None = None
    oncalls: list[_Record] | None = None
    change_events: list[_Record] | None = None

    def records(self, name: str) -> list[_Record]:
        """The list of this name; raises TargetUnavailable when the page has none."""
        found: list[_Record] | None = getattr(self, name)
        if found is None:
            raise TargetUnavailable(f"{NAME} does not answer as its API should: {name}")
        return found


class _Row(BaseModel):
    model_config = ConfigDict(extra="allow")
    range_start: datetime | None = None


class _Analytics(BaseModel):
    data: list[_Row]


class _List(NamedTuple):
    """How a list is asked for: path, parameter of each filter, whether it is of a time range."""

    path: str
    names: Mapping[str, str]


_LISTS: Mapping[str, _List] = {
    "incidents": _List(
        "/incidents",
        {
            "service": "service_ids[]",
            "team": "team_ids[]",
            "status": "statuses[]",
            "urgency": "urgencies[]",
        },
    ),
    "log_entries": _List("/log_entries", {"team": "team_ids[]"}),
    "oncalls": _List(
        "/oncalls", {"schedule": "schedule_ids[]", "policy": "escalation_policy_ids[]"}
    ),
}


class PagerDuty:
    """Reads one account: GET requests, and the POST by which analytics are read."""

    def __init__(self, source: PagerDutySource, secrets: Secrets, clock: Clock) -> None:
        self._source = source
        self._secrets = secrets
        self._clock = clock

    def ask(self, query: MetricQuery) -> RawAnswer:
        """A list gives its records and their number; analytics give a value a day."""
        question = read_pagerduty(query.query)
        if question.what == "analytics":
            return self._analytics(question, query.time_range)
        asked = _LISTS[question.what]
        incident = question.one("incident")
        path = f"/incidents/{incident}/log_entries" if incident else asked.path
        params = [
            (asked.names[name], value)
            for name, values in question.filters.items()
            if name != "incident"
            for value in values
        ]
        records, cut = self._records(path, [*params, *_since(query.time_range)], question.what)
        note = f"there are more: only {len(records)} were read, narrow the query" if cut else ""
        points = [(_time(one, query.time_range), 1.0) for one in records]
        return RawAnswer(
            series=[RawSeries(query.query, points)],
            rows=[dict(_row(one)) for one in records],
            unit=question.what.replace("_", " "),
            note=note or "a list is counted, whatever the aggregation",
            counted=True,
        )

    def changes(self, service: str, time_range: TimeRange) -> list[Change]:
        """Change events of the service, when the catalogue knows its id at PagerDuty."""
        known = self._source.services.get(service)
        if known is None:
            return []
        path = f"/services/{known}/change_events"
        records, _ = self._records(path, _since(time_range), "change_events")
        return [
            Change(
                source="pagerduty",
                what=(one.summary or "a change")[:300],
                at=one.timestamp,
            )
            for one in records
            if one.timestamp is not None
        ]

    def _records(self, path: str, params: Params, name: str) -> tuple[list[_Record], bool]:
        found, more, deadline = list[_Record](), True, time.monotonic() + SECONDS
        for page in range(PAGES):
            left = deadline - time.monotonic()
            if page and left < _TOO_LATE:
                break
            place = [("limit", str(PAGE)), ("offset", str(page * PAGE))]
            answer = self._wire(left).read(path, [*params, *place], _Page)
            found += answer.records(name)
            more = answer.more
            if not more:
                break
        return found, more

    def _analytics(self, question: PagerDutyQuestion, time_range: TimeRange) -> RawAnswer:
        metric = question.one("metric") or ""
        answer = self._wire().read(
            "/analytics/metrics/incidents/all",
            [],
            _Analytics,
            body=_body(question, time_range),
        )
        points = []
        for row in answer.data:
            value: Any = (row.model_extra or {}).get(metric)
            if isinstance(value, int | float):
                points.append((_day(row, time_range), float(value)))
        if answer.data and not points and metric not in (answer.data[0].model_extra or {}):
            known = sorted(name for name in answer.data[0].model_extra or {} if "_id" not in name)
            raise InvalidParameter(
                f"analytics know no metric '{metric}': take one of {', '.join(known)[:350]}"
            )
        return RawAnswer(series=[RawSeries(metric, points)], unit=_unit(metric))

    def _wire(self, seconds: float = SECONDS) -> Wire:
        headers = {
            "Authorization": f"Token token={self._secrets.get(self._source.secret).strip()}",
            "Accept": "application/vnd.pagerduty+json;version=2",
        }
        return Wire(Source(NAME, self._source.base_url, headers), self._clock, seconds)


def _since(time_range: TimeRange) -> Params:
    return [("since", iso(time_range.start)), ("until", iso(time_range.end))]


def _body(question: PagerDutyQuestion, time_range: TimeRange) -> dict[str, Any]:
    filters: dict[str, Any] = {
        "created_at_start": iso(time_range.start),
        "created_at_end": iso(time_range.end),
    }
    for name, field in (("service", "service_ids"), ("team", "team_ids")):
        if name in question.filters:
            filters[field] = list(question.filters[name])
    if urgency := question.one("urgency"):
        filters["urgency"] = urgency
    daily = time_range.seconds > _DAILY_FROM_SECONDS
    unit = {"aggregate_unit": "day"} if daily else {}
    return {"filters": filters, "time_zone": "Etc/UTC", **unit}


def _time(record: _Record, time_range: TimeRange) -> float:
    return (record.created_at or record.start or time_range.end).timestamp()


def _day(row: _Row, time_range: TimeRange) -> float:
    start = row.range_start
    if start is None:
        return time_range.end.timestamp()
    return (start if start.tzinfo else start.replace(tzinfo=UTC)).timestamp()


def _row(record: _Record) -> Iterator[tuple[str, str]]:
    """The fields that are there, as people call them."""
    for name, value in record:
        text = value.summary if isinstance(value, _Reference) else value
        if text not in {None, ""}:
            yield name, iso(text) if isinstance(text, datetime) else str(text)


def _unit(metric: str) -> str | None:
    if "seconds" in metric:
        return "second"
    return "percent" if "pct" in metric or "percent" in metric else None
