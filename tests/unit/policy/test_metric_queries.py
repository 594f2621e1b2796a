"""Queries: what may go into one, and how those without a language of their own are read."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from incident_squad.domain.catalog import Catalog
from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.metric_sources import MetricSources
from incident_squad.domain.runbook import MetricProbe
from incident_squad.policy.cloudwatch_query import read_cloudwatch
from incident_squad.policy.metric_query import (
    fill_probe,
    fill_query,
    metric_problems,
    own_range,
    placeholders,
)
from incident_squad.policy.pagerduty_query import read_pagerduty
from tests.builders import a_catalog


def with_fields(**fields: Any) -> Any:
    target = {"kind": "postgresql", "reader": "r", "writer": "w", "fields": fields}
    return a_catalog(targets={"orders-db": target})


def test_names_of_the_catalogue_go_into_a_query() -> None:
    query = 'x{service="{service}",db="{target.instance}"} / y{a="{b}"}'
    filled = fill_query(query, with_fields(instance="orders-primary"), "orders")
    assert filled == 'x{service="orders",db="orders-primary"} / y{a="{b}"}'
    assert placeholders(query) == {"service", "target.instance"}


def test_a_query_without_names_needs_no_service() -> None:
    assert fill_query("up{a=~'b|c'}", a_catalog(), None) == "up{a=~'b|c'}"


@given(st.text(max_size=80))
def test_no_service_but_the_catalogue_s_gets_into_a_query(service: str) -> None:
    if service == "orders":
        return
    with pytest.raises(InvalidParameter, match="the catalogue knows none"):
        fill_query('up{service="{service}"}', a_catalog(), service)


@pytest.mark.parametrize(
    "value",
    ['a"} or vector(1) #', "a' OR '1'='1", "a}b", "a\\", "a b", "a,b", "{service}", "-a", "é", ""],
)
def test_a_field_that_could_end_a_string_is_refused(value: str) -> None:
    with pytest.raises(InvalidParameter, match="no query may hold"):
        fill_query("x{db='{target.instance}'}", with_fields(instance=value), "orders")


def test_a_field_that_is_missing_or_ambiguous_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="no 'instance'"):
        fill_query("{target.instance}", with_fields(), "orders")
    target = {"kind": "postgresql", "reader": "r", "writer": "w"}
    known = a_catalog().services["orders"].model_dump()
    catalog = a_catalog(
        targets={
            "orders-db": {**target, "fields": {"instance": "a"}},
            "orders-replica": {**target, "fields": {"instance": "b"}},
        },
        services={
            "orders": {**known, "targets": {"database": "orders-db", "replica": "orders-replica"}}
        },
    )
    with pytest.raises(InvalidParameter, match="several 'instance'"):
        fill_query("{target.instance}", catalog, "orders")


def test_nothing_that_was_filled_in_is_filled_in_again() -> None:
    assert fill_query("{service}}", a_catalog(), "orders") == "orders}"
    assert fill_query("{ser{service}vice}", a_catalog(), "orders") == "{serordersvice}"


@pytest.mark.parametrize(
    ("query", "bare", "span"),
    [
        ("avg:system.cpu.user{service:api} last_15m", "avg:system.cpu.user{service:api}", 15),
        ("up last_2h", "up", 120),
        ("up  last_1d", "up", 1440),
        ("up", "up", None),
        ("last_15m", "last_15m", None),
        ("up last_15s", "up last_15s", None),
    ],
)
def test_a_query_s_own_range_is_taken_off(query: str, bare: str, span: int | None) -> None:
    assert own_range(query) == (bare, None if span is None else timedelta(minutes=span))


def test_a_cloudwatch_metric_is_read() -> None:
    (part,) = read_cloudwatch('AWS/RDS:CPUUtilization{DBInstanceIdentifier=a, B="x, y"}')
    assert (part.id, part.kind, part.namespace) == ("answer", "metric", "AWS/RDS")
    assert part.dimensions == (("DBInstanceIdentifier", "a"), ("B", "x, y"))
    (part,) = read_cloudwatch("Custom:Orders.Failed")
    assert (part.metric, part.dimensions) == ("Orders.Failed", ())


def test_cloudwatch_parts_are_read_in_order() -> None:
    parts = read_cloudwatch(
        'used = SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/ECS", ServiceName) '
        "WHERE ServiceName = 'a;b'; used / 100"
    )
    assert [(part.id, part.kind) for part in parts] == [("used", "insights"), ("answer", "math")]
    assert "'a;b'" in parts[0].expression
    (part,) = read_cloudwatch("SEARCH('{AWS/EC2,InstanceId} MetricName=\"x\"', 'Average')")
    assert part.kind == "math"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ('SELECT AVG(CPUUtilization) / 100 FROM "AWS/RDS"', "computes nothing"),
        ("SELECT x FROM y", "Metrics Insights reads"),
        ("AWS/RDS:CPU{x}", "is not {Dimension=value"),
        ("AWS/RDS:CPU{x=y}; 2", "needs a name"),
        ("a = AWS/RDS:CPU; a = AWS/RDS:Mem; a", "same name"),
        ("SEARCH('x", "not closed"),
        ("; ;", "1 to 10 parts"),
        ("; ".join(f"a{n} = N:M" for n in range(11)), "1 to 10 parts"),
    ],
)
def test_a_wrong_cloudwatch_query_says_what_to_mend(query: str, said: str) -> None:
    with pytest.raises(InvalidParameter, match=said):
        read_cloudwatch(query)


@given(st.text(alphabet="abAB:/{}=,;'\" \\n()SELECT", max_size=200))
def test_any_text_is_read_or_refused(query: str) -> None:
    for read in (read_cloudwatch, read_pagerduty):
        try:
            read(query)
        except InvalidParameter:
            continue


@pytest.mark.parametrize(
    ("source", "query", "problems"),
    [
        ("cloudwatch", "AWS/RDS:CPUUtilization{DBInstanceIdentifier={target.instance}}", 0),
        ("cloudwatch", 'SELECT AVG(CPU) / 100 FROM "AWS/RDS"', 1),
        ("pagerduty", "incidents service={target.pagerduty}", 0),
        ("pagerduty", "everything", 1),
        ("datadog", "avg:system.cpu.user{service:{service}} last_15m", 1),
        ("prometheus", "up", 0),
    ],
)
def test_the_lint_reads_a_runbook_s_queries(source: Any, query: str, problems: int) -> None:
    probe = MetricProbe(kind="metric", source=source, query=query)
    assert len(list(metric_problems(probe))) == problems


def test_pagerduty_filters_are_read() -> None:
    question = read_pagerduty("incidents status=triggered,acknowledged service=PABC123")
    assert question.what == "incidents"
    assert question.filters["status"] == ("triggered", "acknowledged")
    assert question.one("service") == "PABC123"
    assert question.one("team") is None


@pytest.mark.parametrize(
    "query",
    [
        "",
        "users",
        "incidents status=open",
        "incidents service=PABC123/../users",
        "incidents service=",
        "incidents service=PABC123 service=PABC124",
        "log_entries incident=PABC123,PABC124",
        "oncalls service=PABC123",
        "analytics service=PABC123",
        "analytics metric=mean_seconds&x=y",
        "incidents since=2020-01-01",
    ],
)
def test_pagerduty_reads_nothing_else(query: str) -> None:
    with pytest.raises(InvalidParameter):
        read_pagerduty(query)


def with_selector(selector: str) -> Catalog:
    source = {"url": "http://127.0.0.1:9090", "selectors": {"orders": selector}}
    sources = MetricSources.model_validate({"prometheus": source})
    return a_catalog().model_copy(update={"metrics": sources})


def test_an_operator_says_what_marks_the_series_of_a_service() -> None:
    probe = MetricProbe(
        kind="metric", source="prometheus", query='sum(up{service="{service}",code="5"})'
    )
    catalog = with_selector('cluster="pg-1",env=~"prod"')
    assert fill_probe(probe, catalog, "orders") == 'sum(up{cluster="pg-1",env=~"prod",code="5"})'
    other = probe.model_copy(update={"source": "datadog"})
    assert fill_probe(other, catalog, "orders") == 'sum(up{service="orders",code="5"})'


@pytest.mark.parametrize("selector", ["", "a", 'a="b"} or up{c="d"', 'a="b\\"', 'a="b",', '"b"'])
def test_a_selector_is_nothing_but_matchers(selector: str) -> None:
    with pytest.raises(ValidationError):
        with_selector(selector)
