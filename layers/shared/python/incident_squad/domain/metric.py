"""Metrics: what can be asked of a source, and one form for every answer."""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from incident_squad.domain.values import Moment, Value

MetricSource = Literal["datadog", "cloudwatch", "prometheus", "pagerduty"]
Aggregation = Literal["avg", "max", "min", "sum", "count"]

LONGEST_QUERY = 4000
LONGEST_RANGE = timedelta(days=31)
MOST_SERIES, MOST_POINTS, MOST_ROWS = 5, 40, 20
"""What is kept of an answer; its value is computed from all of it."""


class MetricStatus(StrEnum):
    """How a question to a source ended."""

    OK = "ok"
    NO_DATA = "no_data"
    DENIED = "denied"
    ERROR = "error"
    NOT_CONFIGURED = "not_configured"


class TimeRange(Value):
    """From `start` to `end`, at most 31 days."""

    start: Moment
    end: Moment

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.start >= self.end:
            message = "start must be before end"
            raise ValueError(message)
        if self.end - self.start > LONGEST_RANGE:
            message = f"at most {LONGEST_RANGE.days} days"
            raise ValueError(message)
        return self

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end - self.start).total_seconds()


class MetricQuery(Value):
    """A question to a source, in the source's own query language.

    `latest` asks for the newest value in the range instead of all of them.
    """

    source: MetricSource
    query: Annotated[str, Field(min_length=1, max_length=LONGEST_QUERY)]
    time_range: TimeRange
    aggregation: Aggregation = "avg"
    latest: bool = False

    @field_validator("query")
    @classmethod
    def _visible(cls, query: str) -> str:
        """A query is text that people can read: no control characters but line breaks."""
        flat = re.sub(r"[\r\n\t]+", " ", query).strip()
        if not flat:
            message = "a query cannot be empty"
            raise ValueError(message)
        if not flat.isprintable():
            message = "a query holds printable characters only"
            raise ValueError(message)
        return flat


class MetricQuestion(Value):
    """What somebody asks of a source; without a range, the query's `last_15m` or the usual."""

    source: MetricSource
    query: str
    time_range: TimeRange | None = None
    aggregation: Aggregation = "avg"


class Point(Value):
    """A value at a time; values are finite numbers."""

    at: Moment
    value: float = Field(allow_inf_nan=False)


class Series(Value):
    """One line of a chart: the oldest point first."""

    name: str
    points: tuple[Point, ...]


class MetricResult(Value):
    """The answer of any source, normalised.

    `value` is the aggregate over every point of every series, before anything was cut away;
    `series` is an excerpt that keeps extremes, `rows` are records of sources that list things.
    `series_count` and `point_count` say how much there was. `link` opens it at the source.
    `message` says what went wrong and what to mend, or what to know about the value.
    """

    source: MetricSource
    query: str
    aggregation: Aggregation
    status: MetricStatus
    value: float | None = Field(default=None, allow_inf_nan=False)
    unit: str | None = None
    series: tuple[Series, ...] = ()
    rows: tuple[dict[str, str], ...] = ()
    series_count: int = 0
    point_count: int = 0
    time_range: TimeRange
    observed_at: Moment
    link: str | None = None
    message: str = ""
    evidence_id: str | None = None


class Change(Value):
    """A deployment or another change that a source knows of."""

    source: str
    what: str = Field(max_length=300)
    at: Moment
    link: str | None = None


class Changes(Value):
    """What one source knows of changes in a while; `status` says how the look ended."""

    source: str
    query: str
    status: MetricStatus
    changes: tuple[Change, ...] = ()
    message: str = ""
