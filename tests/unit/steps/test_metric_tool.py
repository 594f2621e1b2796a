"""The tool query_metrics with the customer's names, from a client's JSON to a source and back."""

from typing import Any

import pytest

from incident_squad.adapters.memory import MemoryTelemetry
from incident_squad.bootstrap.tools import preview_step_of, toolbox
from incident_squad.domain.metric import MetricStatus
from incident_squad.steps.tools.toolbox import Toolbox, ToolFailed
from tests.tools import DirectScout, World

EXAMPLE = "avg:system.cpu.user{service:api} last_15m"
QUERY = "avg:system.cpu.user{service:api}"
HOUR = {"start": "2026-11-22T11:00:00Z", "end": "2026-11-22T12:00:00+00:00"}


def a_toolbox(answer: Any) -> tuple[Toolbox, MemoryTelemetry]:
    world = World()
    world.telemetry = MemoryTelemetry(world.clock, {QUERY: answer})
    scout = DirectScout(preview_step_of(world), world.squad.query_metrics())
    return toolbox(world.squad, scout), world.telemetry


def test_the_customer_s_own_example_is_answered() -> None:
    tools, telemetry = a_toolbox([1.0, 3.0])
    found = tools.call("query_metrics", {"source": "datadog", "query": EXAMPLE})
    assert (found["status"], found["value"], found["aggregation"]) == ("ok", 2.0, "avg")
    assert found["timeRange"]["start"] < found["timeRange"]["end"]
    assert found["series"][0]["points"][0]["value"] == 1.0
    (asked,) = telemetry.asked
    assert (asked.query, asked.time_range.seconds) == (QUERY, 900)


@pytest.mark.parametrize(
    ("aggregation", "value"), [("max", 3.0), ("min", 1.0), ("sum", 4.0), ("count", 2.0)]
)
def test_the_range_and_the_aggregation_are_the_caller_s(aggregation: str, value: float) -> None:
    tools, telemetry = a_toolbox([1.0, 3.0])
    arguments = {
        "source": "datadog",
        "query": QUERY,
        "timeRange": HOUR,
        "aggregation": aggregation,
    }
    assert tools.call("query_metrics", arguments)["value"] == value
    assert telemetry.asked[0].time_range.seconds == 3600


@pytest.mark.parametrize(
    "status", [MetricStatus.ERROR, MetricStatus.DENIED, MetricStatus.NOT_CONFIGURED]
)
def test_a_look_that_failed_says_how_and_why(status: MetricStatus) -> None:
    tools, _ = a_toolbox(status)
    with pytest.raises(ToolFailed, match=f"{status.value.replace('_', ' ')}: the script says so"):
        tools.call("query_metrics", {"source": "datadog", "query": QUERY})


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": "graphite"},
        {"query": ""},
        {"query": "x\x00y"},
        {"aggregation": "p99"},
        {"timeRange": {"start": HOUR["end"], "end": HOUR["start"]}},
        {"timeRange": {"start": "2026-11-22T11:00:00", "end": "2026-11-22T12:00:00"}},
        {"timeRange": {"start": "2020-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"}},
        {"headers": {"X-Evil": "1"}},
        {"url": "http://169.254.169.254/"},
    ],
)
def test_what_is_no_question_reaches_no_source(wrong: dict[str, Any]) -> None:
    tools, telemetry = a_toolbox([1.0])
    with pytest.raises(ToolFailed):
        tools.call("query_metrics", {"source": "datadog", "query": QUERY, **wrong})
    assert not telemetry.asked
