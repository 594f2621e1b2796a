"""The tool query_metrics, on the record of an incident."""

from datetime import timedelta
from typing import Any

import pytest

from incident_squad.adapters.memory import MemoryTelemetry
from incident_squad.domain.errors import AuditFailure, InvalidParameter, UnknownIncident
from incident_squad.domain.evidence import EvidenceStatus
from incident_squad.domain.metric import MetricQuestion, MetricStatus, TimeRange
from incident_squad.domain.timeline import Actor, Entry, TimelineEvent
from incident_squad.steps.query_metrics import QueryMetrics
from tests.builders import INCIDENT_ID, NOW, an_alert, an_incident, later
from tests.fakes import FixedClock, MemoryIncidents, MemoryTimeline

QUERY = "avg:system.cpu.user{service:api}"


class Desk:
    def __init__(self, script: dict[str, Any]) -> None:
        self.clock = FixedClock(NOW)
        self.incidents = MemoryIncidents(self.clock)
        self.timeline = MemoryTimeline(self.incidents, self.clock)
        self.telemetry = MemoryTelemetry(self.clock, script)
        self.incidents.open(an_incident(), an_alert(), later(days=1))
        self.query_metrics = QueryMetrics(
            incidents=self.incidents,
            timeline=self.timeline,
            telemetry=self.telemetry,
            clock=self.clock,
        )


def asking(query: str = QUERY, **more: Any) -> MetricQuestion:
    return MetricQuestion.model_validate({"source": "datadog", "query": query, **more})


def test_an_answer_is_evidence_on_the_timeline() -> None:
    desk = Desk({QUERY: [10.0, 30.0]})
    found = desk.query_metrics(asking(), INCIDENT_ID, Actor.agent("database specialist"))
    assert (found.status, found.value) == (MetricStatus.OK, 20.0)
    (evidence,) = desk.incidents.evidence(INCIDENT_ID)
    assert evidence.id == found.evidence_id
    assert evidence.measured == found
    (event,) = desk.timeline.read(INCIDENT_ID)
    assert event.event == "MetricsQueried"
    assert event.summary == f"datadog: {QUERY}: avg = 20"
    assert event.evidence_ids == (evidence.id,)
    assert event.actor.name == "database specialist"


def test_the_same_question_is_asked_once_in_an_incident() -> None:
    desk = Desk({QUERY: [1.0]})
    first = desk.query_metrics(asking(), INCIDENT_ID)
    desk.clock.moment = later(seconds=5)
    assert desk.query_metrics(asking(), INCIDENT_ID) == first
    assert len(desk.telemetry.asked) == 1
    assert len(desk.timeline.read(INCIDENT_ID)) == 1
    span = {"start": NOW - timedelta(hours=1), "end": NOW}
    desk.clock.moment = later(minutes=1)
    for question in (asking(aggregation="max"), asking(), asking(time_range=span)):
        desk.query_metrics(question, INCIDENT_ID)
    assert len(desk.telemetry.asked) == 4


def test_what_failed_is_asked_again() -> None:
    desk = Desk({QUERY: MetricStatus.ERROR})
    for _ in range(2):
        found = desk.query_metrics(asking(), INCIDENT_ID)
        assert (found.status, found.message) == (MetricStatus.ERROR, "the script says so")
    assert len(desk.telemetry.asked) == 2
    (evidence,) = desk.incidents.evidence(INCIDENT_ID)
    assert evidence.status is EvidenceStatus.ERROR


@pytest.mark.parametrize(
    ("query", "given", "minutes"),
    [
        (QUERY, None, 15),
        (f"{QUERY} last_2h", None, 120),
        (f"{QUERY} last_2h", TimeRange(start=NOW - timedelta(minutes=3), end=NOW), 3),
    ],
)
def test_a_range_comes_from_the_request_or_the_query_or_is_the_usual(
    query: str, given: TimeRange | None, minutes: int
) -> None:
    desk = Desk({QUERY: [1.0]})
    assert desk.query_metrics(asking(query, time_range=given)).status is MetricStatus.OK
    (asked,) = desk.telemetry.asked
    assert asked.query == QUERY
    assert asked.time_range.seconds == minutes * 60


def test_without_an_incident_nothing_is_kept() -> None:
    desk = Desk({QUERY: [1.0]})
    assert desk.query_metrics(asking()).evidence_id is None
    assert not desk.incidents.evidence(INCIDENT_ID)
    assert not desk.timeline.read(INCIDENT_ID)


@pytest.mark.parametrize("query", ["", "  ", "x\x00", "x" * 5000, "up last_99d"])
def test_what_is_no_query_is_refused_before_anybody_is_asked(query: str) -> None:
    desk = Desk({})
    with pytest.raises(InvalidParameter, match=r"not a metric query|at most"):
        desk.query_metrics(asking(query), INCIDENT_ID)
    assert not desk.telemetry.asked


def test_an_incident_that_nobody_knows_has_no_metrics() -> None:
    desk = Desk({QUERY: [1.0]})
    with pytest.raises(UnknownIncident):
        desk.query_metrics(asking(), "INC-20261122-00000")
    assert not desk.telemetry.asked


class FullTimeline(MemoryTimeline):
    def append(self, incident_id: str, entry: Entry) -> TimelineEvent:
        raise AuditFailure("no room")


def test_an_answer_that_cannot_be_recorded_is_not_given() -> None:
    desk = Desk({QUERY: [1.0]})
    use_case = QueryMetrics(
        incidents=desk.incidents,
        timeline=FullTimeline(desk.incidents, desk.clock),
        telemetry=desk.telemetry,
        clock=desk.clock,
    )
    with pytest.raises(AuditFailure):
        use_case(asking(), INCIDENT_ID)
