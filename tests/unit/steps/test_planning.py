"""Trouble may be so young that nothing passes the limits yet: planning looks again for a while."""

from collections.abc import Mapping, Sequence
from typing import Any

from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import ParameterValue, Step
from incident_squad.steps.planning import Planner
from tests.builders import a_catalog, a_runbook, an_alert
from tests.fakes import FakeExecutor, FakeExecutors, FixedClock, MemoryKnowledge
from tests.unit.steps.remediation import END, ROWS


class Ripening(FakeExecutor):
    """Lists nothing until its time has come."""

    def __init__(self, clock: FixedClock, seconds: float) -> None:
        super().__init__(preview=ROWS)
        self._clock, self._start, self._seconds = clock, clock.moment, seconds

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        rows = super().preview(step, target, parameters)
        ripe = (self._clock.moment - self._start).total_seconds() >= self._seconds
        return rows if ripe else ()


class Growing(FakeExecutor):
    """Lists one row more with every look, up to all of them."""

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        super().preview(step, target, parameters)
        return ROWS[: len(self.done)]


def plan(clock: FixedClock, ripe_after: float, look_for: int) -> tuple[PlannedStep, FakeExecutor]:
    executor = Ripening(clock, ripe_after)
    return planned_by(executor, clock, look_for), executor


def planned_by(executor: FakeExecutor, clock: FixedClock, look_for: int) -> PlannedStep:
    parameters: dict[str, Any] = {"seconds": {**END["parameters"]["seconds"], "default": 5}}
    action = {**END["action"], "preview_within_seconds": look_for}
    runbook = a_runbook(steps=[{**END, "parameters": parameters, "action": action}])
    knowledge = MemoryKnowledge(a_catalog(), {runbook.name: runbook})
    planner = Planner(knowledge=knowledge, executors=FakeExecutors(executor), clock=clock)
    return planner.plan_steps(runbook, an_alert(), "orders")[0]


def test_a_step_waits_until_something_passes_its_limits(clock: FixedClock) -> None:
    step, _ = plan(clock, ripe_after=3, look_for=6)
    assert step.preview == ROWS


def test_it_waits_no_longer_than_it_may(clock: FixedClock) -> None:
    before = clock.moment
    step, _ = plan(clock, ripe_after=60, look_for=6)
    assert step.preview == ()
    assert step.blocked is None
    assert (clock.moment - before).total_seconds() <= 7


def test_without_leave_to_wait_it_looks_once(clock: FixedClock) -> None:
    step, executor = plan(clock, ripe_after=1, look_for=0)
    assert step.preview == ()
    assert len(executor.done) == 1


def test_it_looks_again_while_the_list_grows(clock: FixedClock) -> None:
    step = planned_by(Growing(preview=ROWS), clock, look_for=6)
    assert step.preview == ROWS
    assert planned_by(Growing(preview=ROWS), clock, look_for=0).preview == ROWS[:1]
