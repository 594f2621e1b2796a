from collections.abc import Mapping
from typing import Any

import pytest

from incident_squad.contracts import UndoOutput
from incident_squad.domain.errors import StepFailed, TargetUnavailable
from incident_squad.domain.plan import Effect, PlannedStep, StepRecord, StepStatus
from incident_squad.domain.runbook import Step
from tests.builders import INCIDENT_ID, NOW
from tests.fakes import FakeExecutor, FakeExecutors, MemoryKnowledge
from tests.unit.steps.remediation import COUNT, END, FINE, ROWS, Squad, the_runbook

FIRST = {**END, "title": "First"}
SECOND = {**END, "title": "Second"}


def test_applied_steps_are_taken_back_the_last_one_first() -> None:
    squad = Squad(runbook=the_runbook(FIRST, COUNT, SECOND))
    squad.run_all()
    assert squad.undo() == UndoOutput(undone=2, left=0)
    assert squad.done[3:] == ["undo:Second", "undo:First"]
    assert squad.events[-4:] == ["StepUndoing", "StepUndone", "StepUndoing", "StepUndone"]
    assert {squad.record(n).status for n in (0, 2)} == {StepStatus.UNDONE}
    assert squad.record(1).status is StepStatus.APPLIED


def test_a_step_that_failed_after_its_act_is_taken_back_too() -> None:
    squad = Squad(runbook=the_runbook(END), answers={**FINE, "left": 2})
    with pytest.raises(StepFailed):
        squad.run(0)
    assert squad.undo() == UndoOutput(undone=1, left=0)


def test_a_second_undo_has_nothing_left_to_do() -> None:
    squad = Squad(runbook=the_runbook(END))
    squad.run(0)
    squad.undo()
    assert squad.undo() == UndoOutput(undone=0, left=0)
    assert squad.done.count("undo:End the stuck sessions") == 1


def test_one_failed_undo_does_not_keep_the_others_from_theirs() -> None:
    squad = Squad(runbook=the_runbook(FIRST, SECOND))
    squad.run_all()
    squad.executor.fails["undo:Second"] = StepFailed("no")
    assert squad.undo() == UndoOutput(undone=1, left=1)
    assert squad.record(1).status is StepStatus.UNDO_FAILED
    assert "UndoFailed" in squad.events
    assert squad.undo() == UndoOutput(undone=0, left=1)


def test_what_nobody_knows_is_left_to_a_human() -> None:
    squad = Squad(runbook=the_runbook(END))
    squad.executor.fails["apply:End the stuck sessions"] = StepFailed("in the middle")
    with pytest.raises(StepFailed):
        squad.run(0)
    assert squad.undo() == UndoOutput(undone=0, left=1)
    assert squad.events[-1] == "UndoFailed"
    assert "undo:End the stuck sessions" not in squad.done


def test_a_step_that_was_never_begun_needs_no_undo() -> None:
    squad = Squad(runbook=the_runbook(END))
    squad.executor.fails["apply:End the stuck sessions"] = TargetUnavailable("down")
    with pytest.raises(TargetUnavailable):
        squad.run(0)
    assert squad.undo() == UndoOutput(undone=0, left=0)


def test_a_step_that_cannot_be_taken_back_says_why() -> None:
    final = {**END, "undo": {"title": "The database has rolled back by itself"}}
    squad = Squad(runbook=the_runbook(final))
    squad.run(0)
    assert squad.undo() == UndoOutput(undone=0, left=0)
    assert squad.events[-1] == "UndoNotNeeded"
    assert "rolled back by itself" in squad.said
    assert squad.record(0).status is StepStatus.APPLIED


def test_without_records_there_is_nothing_to_undo() -> None:
    assert Squad().undo() == UndoOutput(undone=0, left=0)


def test_a_step_of_another_plan_is_left_to_a_human() -> None:
    squad = Squad()
    record = StepRecord(
        place=1,
        plan_hash="other",
        status=StepStatus.APPLIED,
        effect=Effect.DONE,
        started_at=NOW,
    )
    squad.incidents.put_step(INCIDENT_ID, record)
    assert squad.undo() == UndoOutput(undone=0, left=1)


def test_a_runbook_that_changed_meanwhile_is_not_used() -> None:
    squad = Squad(runbook=the_runbook(END))
    squad.run(0)
    changed = the_runbook(END, digest="d2")
    squad.knowledge = MemoryKnowledge(squad.catalog, {changed.name: changed})
    assert squad.undo() == UndoOutput(undone=0, left=1)
    assert squad.done == ["apply:End the stuck sessions"]


def test_an_undo_of_a_kind_that_is_not_built_is_left_to_a_human() -> None:
    by_hand = {**END, "undo": {"title": "x", "action": {"kind": "manual", "instructions": "x"}}}
    squad = Squad(runbook=the_runbook(by_hand))
    squad.run(0)
    assert squad.undo() == UndoOutput(undone=0, left=1)
    assert "kind 'manual'" in squad.said


class Recorder(FakeExecutor):
    """Keeps what it was told to undo."""

    def __init__(self, rows: tuple[dict[str, str], ...]) -> None:
        super().__init__(rows, {"before": "10"})
        self.undone: list[tuple[PlannedStep, Mapping[str, Any], str]] = []

    def undo(
        self, step: Step, planned: PlannedStep, result: Mapping[str, Any], idempotency_key: str
    ) -> Mapping[str, Any]:
        self.undone.append((planned, result, idempotency_key))
        return super().undo(step, planned, result, idempotency_key)


def test_an_undo_gets_what_was_acted_on_and_what_came_of_it() -> None:
    squad = Squad(runbook=the_runbook(END))
    recorder = Recorder((ROWS[1],))
    squad.executors = FakeExecutors({"sql": recorder})
    squad.run(0)
    squad.undo()
    ((planned, result, key),) = recorder.undone
    assert planned.preview == (ROWS[1],)
    assert planned.target == "orders-db"
    assert result == {"before": "10"}
    assert key == f"{INCIDENT_ID}:{squad.the_plan.hash}:0:undo"
