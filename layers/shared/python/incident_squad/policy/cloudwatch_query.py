"""Reads the CloudWatch queries that runbooks and agents write.

Parts stand between semicolons, and the last one is the answer; the others need a name, as in
`used = AWS/EC2:CPUUtilization{InstanceId=i-1}; used / 100`. A part is one of

- a metric: `Namespace:Metric` or `Namespace:Metric{Dimension=value, Other="another value"}`
- a Metrics Insights query: `SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId)`
- metric math over the names before it: `used / 100`
"""

import re
from typing import Literal

from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.values import Value

MOST_PARTS = 10
_NAMED = re.compile(r"([a-z][A-Za-z0-9_]{0,99})\s*=(?!=)\s*(.+)", re.DOTALL)
_METRIC = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._/#-]{0,254}):([A-Za-z0-9][A-Za-z0-9._%-]{0,254})"
    r"(?:\s*\{(.*)\})?",
    re.DOTALL,
)
_DIMENSION = re.compile(r"\s*([^\s\",={}]+)\s*=\s*(?:\"([^\"]+)\"|([^\s\",={}]+))\s*(?:,|$)")
_SELECT = re.compile(r"select\b", re.IGNORECASE)
_SELECT_OK = re.compile(
    r"select\s+(?:avg|count|max|min|sum)\s*\(\s*(?:\"[^\"]+\"|[\w.]+)\s*\)\s+from\b",
    re.IGNORECASE,
)
_PART = re.compile(r"(?:\"[^\"]*\"|'[^']*'|[^;\"'])+")


class Part(Value):
    """One entry of a GetMetricData request: a metric with dimensions, or an expression."""

    id: str
    kind: Literal["metric", "insights", "math"]
    namespace: str = ""
    metric: str = ""
    dimensions: tuple[tuple[str, str], ...] = ()
    expression: str = ""


def read_cloudwatch(query: str) -> tuple[Part, ...]:
    """The parts of a query; raises InvalidParameter with what to mend."""
    if _PART.sub("", query).strip("; "):
        raise InvalidParameter("a quote in the query is not closed: close it")
    texts = [text.strip() for text in _PART.findall(query) if text.strip()]
    if not 1 <= len(texts) <= MOST_PARTS:
        raise InvalidParameter(f"a query has 1 to {MOST_PARTS} parts between semicolons")
    parts = tuple(_part(text, last=text is texts[-1]) for text in texts)
    if len({part.id for part in parts}) != len(parts):
        raise InvalidParameter("two parts have the same name: rename one")
    return parts


def _part(text: str, *, last: bool) -> Part:
    named = None if _SELECT.match(text) else _NAMED.fullmatch(text)
    if named is None and not last:
        raise InvalidParameter(f"'{text[:60]}' needs a name to be used: write name = {text[:60]}")
    name, body = (named[1], named[2].strip()) if named else ("answer", text)
    if _SELECT.match(body):
        return _insights(name, body)
    metric = _METRIC.fullmatch(body)
    if metric is None:
        return Part(id=name, kind="math", expression=body)
    return Part(
        id=name,
        kind="metric",
        namespace=metric[1],
        metric=metric[2],
        dimensions=_dimensions(metric[3] or ""),
    )


def _insights(name: str, body: str) -> Part:
    if not _SELECT_OK.match(body):
        raise InvalidParameter(
            "Metrics Insights reads SELECT, one of AVG COUNT MAX MIN SUM of one metric, FROM, and "
            "computes nothing: write name = SELECT ...; name / 100"
        )
    return Part(id=name, kind="insights", expression=body)


def _dimensions(text: str) -> tuple[tuple[str, str], ...]:
    found, at = [], 0
    while at < len(text.rstrip()):
        match = _DIMENSION.match(text, at)
        if match is None:
            raise InvalidParameter(f"'{{{text[:60]}}}' is not {{Dimension=value, ...}}")
        found.append((match[1], match[2] or match[3]))
        at = match.end()
    return tuple(found)
