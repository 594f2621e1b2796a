"""Whatever a source answers, the normalised result is finite, bounded and true to it."""

import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.metric import (
    MOST_POINTS,
    MOST_ROWS,
    MOST_SERIES,
    MetricQuery,
    MetricResult,
    MetricStatus,
)
from incident_squad.policy.measure import (
    RawAnswer,
    RawSeries,
    aggregate,
    as_evidence,
    excerpt,
    failed,
    measure,
)
from tests.builders import NOW

anything = st.floats(allow_nan=True, allow_infinity=True)
finite = st.floats(allow_nan=False, allow_infinity=False)
moments = st.one_of(anything, st.floats(min_value=1e9, max_value=2e9))
points = st.lists(st.tuples(moments, anything), max_size=120)
many = st.lists(st.builds(RawSeries, st.text(max_size=300), points), max_size=8)
aggregations = st.sampled_from(["avg", "max", "min", "sum", "count"])


def a_query(**more: Any) -> MetricQuery:
    known = {
        "source": "prometheus",
        "query": "up",
        "time_range": {"start": NOW - timedelta(hours=1), "end": NOW},
    }
    return MetricQuery.model_validate({**known, **more})


@given(many, aggregations, st.booleans())
def test_any_answer_becomes_one_bounded_result(
    series: list[RawSeries], how: Any, latest: bool
) -> None:
    found = measure(a_query(aggregation=how, latest=latest), RawAnswer(series=series), NOW)
    assert MetricResult.model_validate_json(found.model_dump_json()) == found
    assert len(found.series) <= MOST_SERIES
    for one in found.series:
        assert 0 < len(one.points) <= MOST_POINTS
        assert [p.at for p in one.points] == sorted(p.at for p in one.points)
        assert all(math.isfinite(p.value) for p in one.points)
    assert (found.value is None) == (found.status is MetricStatus.NO_DATA)
    assert found.status is MetricStatus.OK or found.message
    seen = as_evidence(found)
    assert Evidence.model_validate_json(seen.model_dump_json()) == seen


@given(st.lists(finite, min_size=1, max_size=200))
def test_an_aggregate_lies_where_it_must(values: list[float]) -> None:
    assert aggregate(values, "max") == max(values)
    assert aggregate(values, "min") == min(values)
    assert aggregate(values, "count") == len(values)
    mean = aggregate(values, "avg")
    assert mean is not None
    assert min(values) <= mean <= max(values)
    total = aggregate(values, "sum")
    assert total is None or math.isfinite(total)


@given(st.lists(st.tuples(st.floats(0, 1e9), finite), unique_by=lambda p: p[0], max_size=300))
def test_an_excerpt_keeps_the_ends_and_the_extremes(raw: list[tuple[float, float]]) -> None:
    ordered = sorted(raw)
    kept = excerpt(ordered)
    assert len(kept) <= MOST_POINTS
    assert set(kept) <= set(ordered)
    assert kept == sorted(kept)
    if ordered:
        assert (kept[0], kept[-1]) == (ordered[0], ordered[-1])
        values = [value for _, value in ordered]
        assert {min(values), max(values)} <= {value for _, value in kept}


def test_the_value_is_of_all_points_and_not_of_the_excerpt() -> None:
    raw = [(1e9 + n, float(n)) for n in range(1000)]
    found = measure(a_query(aggregation="sum"), RawAnswer(series=[RawSeries("s", raw)]), NOW)
    assert found.value == sum(range(1000))
    assert (found.point_count, found.series_count) == (1000, 1)


def test_the_newest_value_alone_counts_when_it_is_asked_for() -> None:
    raw = RawAnswer(series=[RawSeries("s", [(1e9 + 60, 1.0), (1e9, 9.0)])])
    assert measure(a_query(latest=True, aggregation="max"), raw, NOW).value == 1.0


def test_nothing_but_nan_says_so() -> None:
    raw = RawAnswer(series=[RawSeries("s", [(1e9, math.nan)])])
    found = measure(a_query(), raw, NOW)
    assert found.status is MetricStatus.NO_DATA
    assert "NaN" in found.message


def test_an_empty_list_is_a_count_of_nothing() -> None:
    found = measure(a_query(), RawAnswer(counted=True), NOW)
    assert (found.status, found.value, found.aggregation) == (MetricStatus.OK, 0.0, "count")


def test_rows_and_texts_are_bounded() -> None:
    rows = [{"k" * 999: "v\n" * 999}] * 100
    found = measure(a_query(), RawAnswer(rows=rows, counted=True), NOW)
    assert (len(found.rows), found.value) == (MOST_ROWS, 100.0)
    ((name, text),) = found.rows[0].items()
    assert (len(name), len(text)) == (200, 300)
    assert "\n" not in text


@pytest.mark.parametrize("status", list(MetricStatus))
def test_every_way_to_end_is_one_of_evidence(status: MetricStatus) -> None:
    seen = as_evidence(failed(a_query(), status, "mend\nthis " * 200, NOW))
    assert seen.status is EvidenceStatus(status.value)
    assert len(seen.detail) <= 500
    assert "\n" not in seen.detail


@pytest.mark.parametrize(
    "wrong",
    [
        {"query": ""},
        {"query": "   "},
        {"query": "x" * 4001},
        {"query": "up\x00"},
        {"query": "up\u202e"},
        {"time_range": {"start": NOW, "end": NOW}},
        {"time_range": {"start": NOW - timedelta(days=32), "end": NOW}},
        {"aggregation": "p99"},
        {"source": "graphite"},
    ],
)
def test_what_is_no_question_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        a_query(**wrong)


def test_a_query_may_stand_on_several_lines() -> None:
    assert a_query(query=" sum(\n\tx)\n").query == "sum( x)"
