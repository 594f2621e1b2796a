"""What an investigating model may look at: everything reads, and errors are answers."""

from collections.abc import Sequence
from typing import Any

import pytest

from incident_squad.agents.looks import Looks, Seen, look, tool_specs
from incident_squad.domain.errors import PolicyViolation
from incident_squad.domain.evidence import EvidenceStatus, Verdict
from incident_squad.domain.metric import (
    Change,
    Changes,
    MetricQuery,
    MetricResult,
    MetricStatus,
    TimeRange,
)
from incident_squad.domain.model import ToolCall
from incident_squad.domain.values import IncidentType
from incident_squad.ports import Clock
from incident_squad.steps.looks import LookOnly, LooksOf
from incident_squad.steps.planning import Planner
from incident_squad.steps.query_metrics import QueryMetrics
from tests.builders import (
    NOW,
    a_catalog,
    a_diagnosis,
    a_planned_step,
    a_runbook,
    a_triage,
    an_alert,
    an_incident,
    later,
)
from tests.fakes import (
    FakeExecutor,
    FakeExecutors,
    FakeProbers,
    FixedClock,
    MemoryIncidents,
    MemoryTimeline,
)
from tests.fakes import MemoryKnowledge as Knowledge

CHANGING = {
    "title": "End the stuck sessions",
    "command": "SELECT pg_terminate_backend(pid)",
    "action": {"kind": "note", "text": "end"},
    "mutates": True,
    "risk": "medium",
}


class OneMetric:
    """Implements `Telemetry`: one value, one change."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.asked: list[MetricQuery] = []

    def query(self, query: MetricQuery) -> MetricResult:
        self.asked.append(query)
        return MetricResult(
            source=query.source, query=query.query, aggregation=query.aggregation,
            status=MetricStatus.OK, value=97.5, time_range=query.time_range,
            observed_at=self._clock.now(),
        )  # fmt: skip

    def changes(self, service: str, time_range: TimeRange) -> Sequence[Changes]:
        change = Change(source="prometheus", what=f"deployed {service} 1.2.3", at=NOW)
        return [Changes(source="prometheus", query="q", status=MetricStatus.OK, changes=(change,))]


@pytest.fixture
def hands() -> FakeExecutor:
    return FakeExecutor(preview=({"pid": "11"}, {"pid": "12"}))


@pytest.fixture
def metric(clock: FixedClock) -> OneMetric:
    return OneMetric(clock)


@pytest.fixture
def looks(
    clock: FixedClock, incidents: MemoryIncidents, hands: FakeExecutor, metric: OneMetric
) -> Looks:
    runbook = a_runbook(steps=[CHANGING])
    knowledge = Knowledge(a_catalog(), {"pool": runbook})
    planner = Planner(knowledge=knowledge, executors=LookOnly(FakeExecutors(hands)), clock=clock)
    before = an_incident(id="INC-20261121-00001", type=IncidentType.DATABASE, service="orders")
    incidents.open(before, an_alert(key="old"), later(hours=6))
    incidents.change(before.id, type=IncidentType.DATABASE)
    incidents.put_diagnosis(before.id, a_diagnosis())
    now = an_incident(type=IncidentType.DATABASE, triage=a_triage())
    incidents.open(now, an_alert(), later(hours=6))
    return LooksOf(
        incidents=incidents,
        knowledge=knowledge,
        probers=FakeProbers(clock, {"SELECT 1": 0.95}),
        planner=planner,
        clock=clock,
        telemetry=metric,
        metrics=QueryMetrics(
            incidents=incidents,
            timeline=MemoryTimeline(incidents, clock),
            telemetry=metric,
            clock=clock,
        ),
    )(now, an_alert())


def call(looks: Looks, name: str, **arguments: Any) -> Seen:
    (seen,) = look(looks, [ToolCall(id="t1", name=name, arguments=arguments)], 5)
    return seen


def test_a_runbooks_checks_are_judged_by_its_own_thresholds(looks: Looks) -> None:
    (evidence,) = call(looks, "run_checks", runbookId="pool").evidence
    assert evidence.verdict is Verdict.SUPPORTS
    assert evidence.value == 0.95


def test_a_metric_is_asked_in_its_own_language(looks: Looks) -> None:
    seen = call(looks, "query_metrics", source="datadog", query="avg:cpu{service:api}")
    assert seen.evidence[0].value == 97.5
    assert seen.evidence[0].status is EvidenceStatus.OK


def test_a_metric_that_is_known_is_not_asked_again_and_has_its_own_id(
    looks: Looks, metric: OneMetric, incidents: MemoryIncidents
) -> None:
    asked = {"source": "datadog", "query": "avg:cpu{service:api}"}
    (first,), (second,) = (call(looks, "query_metrics", **asked).evidence for _ in "12")
    assert first == second
    assert first.id.startswith("M-")
    assert len(metric.asked) == 1
    assert [one.id for one in incidents.evidence(an_incident().id)] == [first.id]


def test_a_step_is_shown_as_a_dry_run_and_nothing_is_done(
    looks: Looks, hands: FakeExecutor
) -> None:
    seen = call(looks, "execute_runbook", runbookId="pool", stepIndex=0)
    assert [row["pid"] for row in seen.evidence[0].rows] == ["11", "12"]
    assert hands.done == ["preview:End the stuck sessions"]


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("run_shell", {}, "no such tool"),
        ("execute_runbook", {"runbookId": "pool", "stepIndex": 0, "dryRun": False}, "nothing is"),
        ("execute_runbook", {"runbookId": "pool", "stepIndex": 0, "dryRun": "false"}, "wrong"),
        ("execute_runbook", {"runbookId": "pool", "stepIndex": 7}, "has 1 steps"),
        ("execute_runbook", {"runbookId": "pool", "stepIndex": -1}, "wrong arguments"),
        (
            "execute_runbook",
            {"runbookId": "pool", "stepIndex": 0, "targetEnvironment": "staging"},
            "production",
        ),
        ("execute_runbook", {"runbookId": "none", "stepIndex": 0}, "no runbook"),
        ("get_runbook", {"runbookId": "../../etc/passwd"}, "no runbook"),
        ("query_metrics", {"source": "shell", "query": "x"}, "wrong arguments"),
        ("query_metrics", {"source": "datadog", "query": "x", "sql": "1"}, "wrong arguments"),
        (
            "query_metrics",
            {"source": "datadog", "query": "x",
             "timeRange": {"start": "2026-11-22T12:00:00Z", "end": "2026-11-22T11:00:00Z"}},
            "start",
        ),
    ],
)  # fmt: skip
def test_what_is_not_possible_is_an_answer(
    looks: Looks, hands: FakeExecutor, name: str, arguments: dict[str, Any], error: str
) -> None:
    seen = call(looks, name, **arguments)
    assert error in seen.error
    assert seen.evidence == ()
    assert not [act for act in hands.done if not act.startswith("preview")]


def test_a_runbook_is_knowledge_and_no_evidence(looks: Looks) -> None:
    seen = call(looks, "get_runbook", runbookId="pool")
    assert "End the stuck sessions" in seen.text
    assert seen.evidence == ()


def test_changes_and_earlier_incidents_are_seen(looks: Looks) -> None:
    (changes,) = call(looks, "recent_changes").evidence
    assert changes.rows[0]["what"] == "deployed orders 1.2.3"
    (earlier,) = call(looks, "similar_incidents").evidence
    assert [row["id"] for row in earlier.rows] == ["INC-20261121-00001"]


def test_calls_run_side_by_side_and_late_ones_are_answered(looks: Looks) -> None:
    calls = [
        ToolCall(id=f"t{n}", name="run_checks", arguments={"runbookId": "pool"}) for n in "123"
    ]
    assert [seen.error for seen in look(looks, calls, 5)] == ["", "", ""]
    assert look(looks, [], 5) == []


def test_tools_are_told_in_the_same_order_every_time(looks: Looks) -> None:
    names = [spec.name for spec in tool_specs(looks)]
    assert names == [spec.name for spec in tool_specs(looks)]
    assert set(names) == {
        "query_metrics", "get_runbook", "run_checks", "execute_runbook", "recent_changes",
        "similar_incidents",
    }  # fmt: skip


def test_eyes_have_no_hands(hands: FakeExecutor) -> None:
    eyes = LookOnly(FakeExecutors(hands)).of("note")
    assert eyes is not None
    step = a_runbook(steps=[CHANGING]).steps[0]
    with pytest.raises(PolicyViolation):
        eyes.apply(step, a_planned_step(), "key")
    with pytest.raises(PolicyViolation):
        eyes.undo(step, a_planned_step(), {}, "key")
    assert hands.done == []
