from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from incident_squad.contracts import RemediateInput
from incident_squad.domain.approval import ApprovalStatus
from incident_squad.domain.errors import (
    AuditFailure,
    InvalidParameter,
    PlanChanged,
    PolicyViolation,
    SquadError,
    StepFailed,
    TargetUnavailable,
    UnknownRunbook,
)
from incident_squad.domain.evidence import EvidenceStatus
from incident_squad.domain.incident import IncidentStatus, Stage
from incident_squad.domain.plan import Applier, Effect, PlannedStep, StepRecord, StepStatus
from incident_squad.domain.runbook import Step
from incident_squad.domain.timeline import Entry, TimelineEvent
from incident_squad.domain.values import Severity
from incident_squad.steps.remediate import Remediate
from tests.builders import INCIDENT_ID, NOW, a_catalog
from tests.fakes import FakeExecutor, FakeExecutors, FixedClock, MemoryIncidents, MemoryTimeline
from tests.unit.steps.remediation import (
    COUNT,
    END,
    FINE,
    ROWS,
    Squad,
    high_risk,
    the_plan,
    the_runbook,
)

AUTO = {"severity": Severity.SEV3, "approved": False}


def auto(**fields: Any) -> Squad:
    plan = the_plan(fields.get("runbook") or the_runbook(), Applier.AUTO)
    return Squad(**{**AUTO, "plan": plan, **fields})


def test_an_approved_plan_runs_step_by_step() -> None:
    squad = Squad()
    assert squad.run(0) == "applied"
    assert squad.incidents.get(INCIDENT_ID).status is IncidentStatus.FIXING
    assert squad.run(1) == "applied"
    assert squad.done == ["apply:Count", "apply:End the stuck sessions"]
    assert squad.events == [
        "StepApplying", "StepApplied", "StepApplying", "StepApplied", "StepVerified",
    ]  # fmt: skip
    incident = squad.incidents.get(INCIDENT_ID)
    assert (incident.status, incident.stage) == (IncidentStatus.VERIFYING, Stage.RECOVERY)
    record = squad.record(1)
    assert (record.status, record.effect) == (StepStatus.APPLIED, Effect.DONE)
    assert record.result == {"ended": ["11"]}
    assert record.acted_on == ROWS


def test_each_try_of_a_step_has_the_same_key() -> None:
    squad = Squad()
    squad.run_all()
    assert squad.executor.keys == [f"{INCIDENT_ID}:{squad.the_plan.hash}:{n}" for n in (0, 1)]


def test_sev3_repairs_itself() -> None:
    squad = auto()
    squad.run_all()
    assert squad.done[-1] == "apply:End the stuck sessions"


@pytest.mark.parametrize("severity", [Severity.SEV1, Severity.SEV2, None])
def test_severe_incidents_need_a_human_whatever_the_plan_says(severity: Severity | None) -> None:
    squad = auto(severity=severity)
    squad.run(0)
    with pytest.raises(PolicyViolation, match="approved this very plan"):
        squad.run(1)
    assert squad.done == ["apply:Count"]
    assert squad.events[-1] == "StepRefused"


def test_a_high_risk_step_needs_a_human_at_any_severity() -> None:
    with pytest.raises(PolicyViolation, match="approved this very plan"):
        auto(runbook=high_risk()).run(0)


WRONG_APPROVALS: list[Mapping[str, Any]] = [
    {"status": ApprovalStatus.PENDING, "decided_by": None, "decided_at": None},
    {"status": ApprovalStatus.REJECTED},
    {"status": ApprovalStatus.EXPIRED},
    {"status": ApprovalStatus.VOID},
    {"plan_hash": "0" * 64},
    {"decided_by": "mallory@example.com"},
    {"decided_by": None},
    {"decided_at": None},
    {"decided_at": NOW - timedelta(minutes=61)},
    {"decided_at": NOW + timedelta(minutes=1)},
]


@pytest.mark.parametrize("wrong", WRONG_APPROVALS)
def test_only_a_fresh_approval_of_this_plan_by_an_approver_counts(wrong: Mapping[str, Any]) -> None:
    squad = Squad(approved=False)
    squad.approve(**wrong)
    with pytest.raises(PolicyViolation):
        squad.run(0)
    assert squad.executor.done == []
    assert squad.events == ["StepRefused"]
    assert not squad.incidents.steps(INCIDENT_ID)


def test_a_plan_that_was_changed_after_its_approval_is_refused() -> None:
    squad = Squad()
    changed = the_plan(squad.runbook, preview=(*ROWS, {"pid": "99", "query": "c"}))
    squad.incidents.put_plan(changed)
    with pytest.raises(PolicyViolation, match="approved this very plan"):
        squad.run(0)
    assert squad.executor.done == []


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"runbook_digest": "other"}, PlanChanged),
        ({"step_index": 7}, PlanChanged),
        ({"mutates": False}, PlanChanged),
        ({"kind": "note"}, PlanChanged),
        ({"target": "another-db"}, PlanChanged),
        ({"parameters": {"seconds": 999}}, InvalidParameter),
        ({"parameters": {"seconds": 60, "more": 1}}, InvalidParameter),
        ({"runbook_id": "unheard-of"}, UnknownRunbook),
    ],
)
def test_a_plan_that_does_not_fit_its_runbook_is_refused(
    changed: Mapping[str, Any], error: type[SquadError]
) -> None:
    squad = Squad(plan=the_plan(the_runbook(END), **changed), runbook=the_runbook(END))
    with pytest.raises(error):
        squad.run(0)
    assert squad.executor.done == []
    assert squad.events == ["StepRefused"]


@pytest.mark.parametrize("place", [2, 99])
def test_a_step_that_the_plan_does_not_run_is_refused(place: int) -> None:
    runbook = the_runbook(COUNT, END, {**END, "when": "recurs"})
    with pytest.raises(PlanChanged):
        Squad(runbook=runbook).run(place)


def test_without_a_plan_there_is_nothing_to_run() -> None:
    squad = Squad()
    squad.incidents.open(
        squad.incidents.get(INCIDENT_ID).model_copy(update={"id": "INC-20261122-00001"}),
        squad.incidents.alerts(INCIDENT_ID)[0].model_copy(update={"key": "other"}),
        NOW + timedelta(days=1),
    )
    incident = squad.incidents.get("INC-20261122-00001")
    with pytest.raises(PlanChanged):
        squad.remediate(_request(incident.id))


def _request(incident_id: str) -> RemediateInput:
    return RemediateInput(incident_id=incident_id, step=0)


@pytest.mark.parametrize("applier", [Applier.NOBODY, Applier.UNNEEDED])
def test_a_plan_that_nobody_may_apply_is_refused(applier: Applier) -> None:
    with pytest.raises(PolicyViolation):
        Squad(plan=the_plan(the_runbook(), applier)).run(0)


def test_one_blocked_step_blocks_the_whole_plan() -> None:
    squad = Squad(plan=the_plan(the_runbook(), blocked="not built yet"))
    with pytest.raises(PolicyViolation, match="runs none of the plan"):
        squad.run(0)


def test_a_kind_that_is_not_built_is_refused() -> None:
    other = {"kind": "ssm", "target": "fleet", "document": "Shop-Look"}
    look = {"title": "Look", "command": "look", "action": other}
    with pytest.raises(PolicyViolation, match="kind 'ssm'"):
        Squad(runbook=the_runbook(look)).run(0)


def test_the_switch_stops_all_automatic_repair() -> None:
    squad = auto(catalog=a_catalog(policies={"automatic_repair": False}))
    with pytest.raises(PolicyViolation, match="switched off"):
        squad.run(0)


@pytest.mark.parametrize("status", [IncidentStatus.HANDED_OVER, IncidentStatus.RESOLVED])
def test_nothing_runs_once_a_human_has_it(status: IncidentStatus) -> None:
    squad = Squad()
    squad.incidents.change(INCIDENT_ID, status=status)
    with pytest.raises(PolicyViolation):
        squad.run(0)


def test_steps_keep_their_order() -> None:
    with pytest.raises(PolicyViolation, match="step 1 comes first"):
        Squad().run(1)


def test_a_step_that_was_applied_is_not_applied_again() -> None:
    squad = Squad()
    squad.run_all()
    assert squad.run(1) == "applied"
    assert squad.done.count("apply:End the stuck sessions") == 1


def test_a_step_that_was_skipped_stays_skipped() -> None:
    squad = Squad(answers={**FINE, "short": 0.1})
    squad.run(0)
    assert [squad.run(1), squad.run(1)] == ["skipped", "skipped"]
    assert squad.done == ["apply:Count"]
    assert squad.record(1).status is StepStatus.SKIPPED
    assert squad.events.count("StepSkipped") == 1


@pytest.mark.parametrize(
    ("status", "effect", "same_plan"),
    [
        (StepStatus.APPLYING, Effect.UNKNOWN, True),
        (StepStatus.APPLYING, Effect.UNKNOWN, False),
        (StepStatus.UNDOING, Effect.UNKNOWN, True),
        (StepStatus.FAILED, Effect.NONE, True),
        (StepStatus.UNDONE, Effect.NONE, True),
        (StepStatus.UNDO_FAILED, Effect.UNKNOWN, True),
        (StepStatus.APPLIED, Effect.DONE, False),
    ],
)
def test_a_step_that_went_wrong_before_is_for_a_human(
    status: StepStatus, effect: Effect, *, same_plan: bool
) -> None:
    squad = Squad()
    plan_hash = squad.the_plan.hash if same_plan else "other"
    record = StepRecord(place=0, plan_hash=plan_hash, status=status, effect=effect, started_at=NOW)
    squad.incidents.put_step(INCIDENT_ID, record)
    with pytest.raises(StepFailed, match="earlier try"):
        squad.run(0)
    assert squad.executor.done == []
    assert squad.events == ["StepFailed"]
    assert squad.record(0) == record


def test_a_failed_try_of_another_plan_does_not_count() -> None:
    squad = Squad()
    record = StepRecord(place=0, plan_hash="other", status=StepStatus.FAILED, started_at=NOW)
    squad.incidents.put_step(INCIDENT_ID, record)
    assert squad.run(0) == "applied"


@pytest.mark.parametrize(
    "answer",
    [
        EvidenceStatus.ERROR,
        EvidenceStatus.DENIED,
        EvidenceStatus.NO_DATA,
        EvidenceStatus.NOT_CONFIGURED,
    ],
)
def test_a_precheck_without_an_answer_stops_the_step(answer: EvidenceStatus) -> None:
    squad = Squad(answers={**FINE, "short": answer})
    squad.run(0)
    with pytest.raises(StepFailed, match="gave no answer"):
        squad.run(1)
    assert squad.done == ["apply:Count"]
    assert (squad.record(1).status, squad.record(1).effect) == (StepStatus.FAILED, Effect.NONE)


class Recorder(FakeExecutor):
    """Keeps what it was told to act on."""

    def __init__(self, rows: tuple[dict[str, str], ...]) -> None:
        super().__init__(rows)
        self.acted_on: list[PlannedStep] = []

    def apply(self, step: Step, planned: PlannedStep, idempotency_key: str) -> Mapping[str, Any]:
        self.acted_on.append(planned)
        return super().apply(step, planned, idempotency_key)


def test_only_what_was_planned_and_is_still_there_is_acted_on() -> None:
    now_there = ({"pid": "12", "query": "changed meanwhile"}, {"pid": "13", "query": "new"})
    squad = Squad(runbook=the_runbook(END), rows=now_there)
    recorder = Recorder(now_there)
    squad.executors = FakeExecutors({"sql": recorder})
    assert squad.run(0) == "applied"
    assert recorder.acted_on[0].preview == (ROWS[1],)
    assert squad.record(0).acted_on == (ROWS[1],)
    applying = squad.timeline.read(INCIDENT_ID)[0]
    assert "1 no longer there, 1 not in the plan, left alone" in applying.summary
    assert applying.data["preview"] == [ROWS[1]]


def test_nothing_left_of_the_plan_is_nothing_to_do() -> None:
    squad = Squad(runbook=the_runbook(END), rows=())
    assert squad.run(0) == "skipped"
    assert squad.done == []


def test_other_rows_than_the_planned_ones_are_another_plan() -> None:
    squad = Squad(runbook=the_runbook(END), rows=({"pid": "99", "query": "x"},))
    with pytest.raises(PlanChanged, match="2 no longer there, 1 not in the plan"):
        squad.run(0)
    assert squad.done == []
    assert squad.record(0).effect is Effect.NONE


class AuditedExecutor(FakeExecutor):
    """Asserts that the act is on record before it happens."""

    def __init__(self, squad: Squad) -> None:
        super().__init__(ROWS)
        self.squad = squad

    def apply(self, step: Step, planned: PlannedStep, idempotency_key: str) -> Mapping[str, Any]:
        assert self.squad.events[-1] == "StepApplying"
        assert self.squad.record(0).status is StepStatus.APPLYING
        return super().apply(step, planned, idempotency_key)


def test_the_event_is_written_before_the_act() -> None:
    squad = Squad(runbook=the_runbook(END))
    squad.executors = FakeExecutors(AuditedExecutor(squad))
    assert squad.run(0) == "applied"


class BrokenTimeline(MemoryTimeline):
    """Cannot write events of one name."""

    def __init__(self, incidents: MemoryIncidents, clock: FixedClock, event: str) -> None:
        super().__init__(incidents, clock)
        self.event = event

    def append(self, incident_id: str, entry: Entry) -> TimelineEvent:
        if entry.event == self.event:
            raise AuditFailure("the timeline cannot be written")
        return super().append(incident_id, entry)


def test_what_cannot_be_written_down_does_not_happen() -> None:
    squad = Squad(runbook=the_runbook(END))
    squad.timeline = BrokenTimeline(squad.incidents, squad.clock, "StepApplying")
    with pytest.raises(AuditFailure):
        squad.run(0)
    assert squad.done == []
    assert not squad.incidents.steps(INCIDENT_ID)


@pytest.mark.parametrize(
    ("error", "effect"),
    [
        (TargetUnavailable("not reached"), Effect.NONE),
        (StepFailed("in the middle"), Effect.UNKNOWN),
        (InvalidParameter("no value"), Effect.UNKNOWN),
    ],
)
def test_a_failing_apply_says_what_it_may_have_done(error: SquadError, effect: Effect) -> None:
    squad = Squad(runbook=the_runbook(END))
    squad.executor.fails["apply:End the stuck sessions"] = error
    with pytest.raises(type(error)):
        squad.run(0)
    record = squad.record(0)
    assert (record.status, record.effect) == (StepStatus.FAILED, effect)
    assert squad.events[-1] == "StepFailed"
    assert squad.incidents.get(INCIDENT_ID).stage is Stage.REMEDIATE


def test_an_unexpected_error_leaves_the_step_in_the_open() -> None:
    squad = Squad(runbook=the_runbook(END))
    squad.executor.fails["apply:End the stuck sessions"] = KeyError("a bug")
    with pytest.raises(KeyError):
        squad.run(0)
    assert squad.record(0).status is StepStatus.APPLYING
    with pytest.raises(StepFailed, match="nobody knows"):
        squad.run(0)


def test_a_dry_run_that_fails_stops_the_step() -> None:
    squad = Squad(runbook=the_runbook(END))
    squad.executor.fails["preview:End the stuck sessions"] = TargetUnavailable("down")
    with pytest.raises(TargetUnavailable):
        squad.run(0)
    assert squad.record(0).effect is Effect.NONE


@pytest.mark.parametrize("answer", [2, EvidenceStatus.ERROR])
def test_a_step_that_does_not_help_has_failed(answer: Any) -> None:
    squad = Squad(runbook=the_runbook(END), answers={**FINE, "left": answer})
    with pytest.raises(StepFailed, match="'They are gone' does not hold"):
        squad.run(0)
    record = squad.record(0)
    assert (record.status, record.effect) == (StepStatus.FAILED, Effect.DONE)
    assert record.result == {"ended": ["11"]}


def test_what_was_seen_before_and_after_is_evidence() -> None:
    squad = Squad(runbook=the_runbook(END))
    squad.run(0)
    seen = {one.id: one.meaning for one in squad.incidents.evidence(INCIDENT_ID)}
    assert seen == {"S1-before": "Connections are short", "S1-after": "They are gone"}
    assert squad.timeline.read(INCIDENT_ID)[-1].evidence_ids == ("S1-after",)


def test_a_note_is_its_own_act() -> None:
    note = {"title": "Note", "command": "note", "action": {"kind": "note", "text": "x"}}
    squad = auto(runbook=the_runbook(note), rows=())
    assert squad.run(0) == "applied"
    assert squad.events == ["StepApplying", "StepApplied"]


def test_conditions_may_name_parameters_rows_and_results() -> None:
    named: list[dict[str, Any]] = []
    squad = Squad(runbook=the_runbook(END))
    holds = squad.probers.holds

    class Listening:
        ask = squad.probers.ask

        def holds(self, condition: Any, service: str | None, parameters: Any) -> Any:
            named.append(dict(parameters))
            return holds(condition, service, parameters)

    remediate: Callable[[Any], object] = Remediate(
        incidents=squad.incidents,
        timeline=squad.timeline,
        approvals=squad.approvals,
        knowledge=squad.knowledge,
        probers=Listening(),
        executors=squad.executors,
        clock=squad.clock,
    )
    remediate(_request(INCIDENT_ID))
    before = {"seconds": 60, "preview_pid": ["11", "12"], "preview_query": ["a", "b"]}
    assert named == [before, {**before, "result_ended": ["11"]}]
