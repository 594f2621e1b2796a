"""Law 7: every broken execution ends in a resumed workflow or in a page to a human."""

from typing import Any

import pytest

from incident_squad.adapters.memory import (
    FixedClock,
    MemoryApprovals,
    MemoryIncidents,
    MemoryKnowledge,
    MemoryNotifier,
    MemorySigner,
    MemoryTimeline,
    MemoryWorkflow,
)
from incident_squad.contracts import HandOverInput, WorkflowError
from incident_squad.domain.approval import Approval, ApprovalStatus, Decision
from incident_squad.domain.errors import TransientFailure
from incident_squad.domain.incident import IncidentStatus, Stage
from incident_squad.domain.plan import Applier, Effect, StepRecord, StepStatus
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.steps.decide_approval import DecideApproval
from incident_squad.steps.hand_over import HandOver
from incident_squad.steps.record_failure import RecordFailure
from incident_squad.steps.sweep import ATTEMPTS, Sweep
from tests.builders import (
    INCIDENT_ID,
    NOW,
    a_catalog,
    a_plan,
    a_planned_step,
    a_runbook,
    an_alert,
    an_incident,
    later,
)


class World:
    def __init__(self) -> None:
        self.clock = FixedClock(NOW)
        self.incidents = MemoryIncidents(self.clock)
        self.timeline = MemoryTimeline(self.incidents, self.clock)
        self.approvals = MemoryApprovals(self.clock)
        self.workflow = MemoryWorkflow()
        self.notifier = MemoryNotifier()
        self.incidents.open(an_incident(), an_alert(), later(hours=6))
        self.hand_over = HandOver(
            incidents=self.incidents,
            approvals=self.approvals,
            timeline=self.timeline,
            notifier=self.notifier,
            knowledge=MemoryKnowledge(a_catalog(), {"pool": a_runbook()}),
            clock=self.clock,
        )
        self.record_failure = RecordFailure(incidents=self.incidents, hand_over=self.hand_over)
        self.sweep = Sweep(
            incidents=self.incidents,
            approvals=self.approvals,
            timeline=self.timeline,
            workflow=self.workflow,
            decide=DecideApproval(
                incidents=self.incidents,
                approvals=self.approvals,
                timeline=self.timeline,
                workflow=self.workflow,
                signer=MemorySigner(),
                clock=self.clock,
            ),
            hand_over=self.hand_over,
            clock=self.clock,
            receive=list,
        )

    def ask(self, status: ApprovalStatus = ApprovalStatus.PENDING) -> Approval:
        approval = Approval(
            id="0123456789abcdef",
            incident_id=INCIDENT_ID,
            plan_hash=a_plan().hash,
            approvers=("ada@example.com",),
            created_at=NOW,
            expires_at=later(minutes=30),
        )
        self.approvals.put(approval, "token-1")
        if status is not ApprovalStatus.PENDING:
            approval, _ = self.approvals.decide(approval, status, "ada@example.com", NOW, "")
        return approval

    def happened(self, event: str) -> int:
        return sum(e.event == event for e in self.timeline.read(INCIDENT_ID))


@pytest.fixture
def world() -> World:
    return World()


def failed(attempt: int = 1, **detail: Any) -> dict[str, Any]:
    return {"detail": {"name": f"{INCIDENT_ID}-{attempt}", "status": "FAILED", **detail}}


def test_a_hand_over_pages_with_all_that_is_known_and_keeps_the_incident_open(world: World) -> None:
    world.incidents.put_plan(a_plan())
    error = WorkflowError(error="StepFailed", cause='{"errorMessage": "it broke", "x": 1}')
    world.hand_over(HandOverInput(incident_id=INCIDENT_ID, reason="Remediate failed", error=error))
    incident = world.incidents.get(INCIDENT_ID)
    assert incident.status is IncidentStatus.HANDED_OVER
    assert incident.status.open
    (page,) = world.notifier.messages
    assert page.urgent
    assert page.recipients == ("ada@example.com", "ben@example.com")
    assert "it broke" in page.body
    assert "SELECT pg_terminate_backend(pid)" in page.body
    assert "Nothing was changed." in page.body


def test_a_hand_over_says_what_kept_the_squad_from_the_plan(world: World) -> None:
    why = ("step 'End them': 'orders-db' has no connection slot left for us",)
    world.incidents.put_plan(a_plan(applier=Applier.NOBODY, why=why))
    world.hand_over(HandOverInput(incident_id=INCIDENT_ID, reason="x"))
    (page,) = world.notifier.messages
    assert f"Not applied: {why[0]}" in page.body


def test_a_hand_over_says_what_stands_and_what_was_seen_last(world: World) -> None:
    plan = a_plan(steps=(a_planned_step(undo="Start them again"),))
    world.incidents.put_plan(plan)
    record = StepRecord(
        place=0,
        plan_hash=plan.hash,
        status=StepStatus.APPLIED,
        effect=Effect.DONE,
        started_at=NOW,
        acted_on=({"pid": "11"},),
    )
    world.incidents.put_step(INCIDENT_ID, record)
    seen = Entry(
        event="RecoveryNotSeen", summary="'Errors' is so: 9", actor=Actor.agent("verifier")
    )
    world.timeline.append(INCIDENT_ID, seen)
    world.hand_over(HandOverInput(incident_id=INCIDENT_ID, reason="x"))
    (page,) = world.notifier.messages
    assert "Seen: 'Errors' is so: 9" in page.body
    assert "IS APPLIED and stands. Changed: pid=11. To take it back: Start them again." in page.body
    last = world.timeline.read(INCIDENT_ID)[-1]
    assert last.event == "HandedOver"
    assert "pid=11" in last.data["standing"][0]


def test_a_page_that_nobody_takes_fails_loudly(world: World) -> None:
    world.notifier.fail = True
    with pytest.raises(TransientFailure):
        world.hand_over(HandOverInput(incident_id=INCIDENT_ID, reason="x"))
    assert world.incidents.get(INCIDENT_ID).status is not IncidentStatus.HANDED_OVER


@pytest.mark.parametrize(("minutes", "event"), [(0, "ApprovalVoided"), (31, "ApprovalExpired")])
def test_a_hand_over_ends_open_requests_for_approval(
    world: World, minutes: int, event: str
) -> None:
    world.ask()
    world.clock.moment = later(minutes=minutes)
    world.hand_over(HandOverInput(incident_id=INCIDENT_ID, reason="x"))
    assert world.happened(event) == 1
    assert world.approvals.of_incident(INCIDENT_ID)[0].status is not ApprovalStatus.PENDING


def test_a_dead_execution_is_handed_over_once(world: World) -> None:
    world.record_failure(failed(error="States.Runtime"))
    world.record_failure(failed(error="States.Runtime"))
    assert world.happened("HandedOver") == 1
    assert len(world.notifier.messages) == 1


@pytest.mark.parametrize(
    "event",
    [
        failed(attempt=2),
        failed(error="States.ServiceRestart"),
        {"detail": {"name": "INC-20261122-ZZZZZ-1", "status": "FAILED"}},
        {"detail": {"name": "something else"}},
        {},
    ],
)
def test_events_that_are_about_nothing_of_ours_page_nobody(
    world: World, event: dict[str, Any]
) -> None:
    world.record_failure(event)
    assert not world.notifier.messages


def test_the_sweep_takes_a_lost_execution_up_where_it_stood(world: World) -> None:
    world.incidents.change(INCIDENT_ID, stage=Stage.SYNTHESIZE)
    world.clock.moment = later(minutes=1)
    assert world.sweep({}).resumed == (INCIDENT_ID,)
    (start,) = world.workflow.starts
    assert (start.attempt, start.stage) == (2, Stage.SYNTHESIZE)
    assert world.happened("WorkflowResumed") == 1


def test_the_sweep_tells_of_the_alert_where_intake_died_before_it_could(world: World) -> None:
    world.clock.sleep(60)
    world.sweep({})
    assert [e.event for e in world.timeline.read(INCIDENT_ID)] == [
        "AlertReceived",
        "WorkflowResumed",
    ]


def test_the_sweep_leaves_what_is_alive_and_what_is_fresh(world: World) -> None:
    assert not world.sweep({}).resumed
    world.workflow.start(world.incidents.get(INCIDENT_ID))
    world.clock.moment = later(minutes=1)
    assert not world.sweep({}).resumed


def test_an_incident_that_breaks_off_again_and_again_goes_to_a_human(world: World) -> None:
    world.incidents.change(INCIDENT_ID, attempt=ATTEMPTS)
    world.clock.moment = later(minutes=1)
    assert world.sweep({}).handed_over == (INCIDENT_ID,)
    assert world.notifier.messages


def test_an_undelivered_decision_is_delivered(world: World) -> None:
    world.ask(ApprovalStatus.APPROVED)
    world.workflow.start(world.incidents.get(INCIDENT_ID))
    world.clock.moment = later(minutes=1)
    assert world.sweep({}).delivered == (INCIDENT_ID,)
    assert "token-1" in world.workflow.decisions
    assert not world.sweep({}).delivered


def test_trouble_that_ends_by_itself_needs_no_decision(world: World) -> None:
    world.ask()
    world.workflow.start(world.incidents.get(INCIDENT_ID))
    world.incidents.change(INCIDENT_ID, source_resolved_at=later(seconds=30))
    world.clock.moment = later(minutes=1)
    assert world.sweep({}).delivered == (INCIDENT_ID,)
    assert world.workflow.decisions["token-1"][0] is Decision.RECOVERED
    assert world.happened("ApprovalVoided") == 1


def test_a_handed_over_incident_closes_when_its_source_says_so(world: World) -> None:
    world.hand_over(HandOverInput(incident_id=INCIDENT_ID, reason="x"))
    assert not world.sweep({"now": True}).resumed
    world.incidents.change(INCIDENT_ID, source_resolved_at=later(minutes=5))
    assert world.sweep({"now": True}).resumed == (INCIDENT_ID,)
    assert world.workflow.starts[-1].stage is Stage.CLOSE
