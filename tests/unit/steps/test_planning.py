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
    """Lists a row of the first age in seconds, and one more of each, once it passes the limit."""

    def __init__(self, clock: FixedClock, *ages: float) -> None:
        super().__init__(preview=ROWS)
        self._clock, self._start, self._ages = clock, clock.moment, ages

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        rows = super().preview(step, target, parameters)
        over = (self._clock.moment - self._start).total_seconds()
        limit = float(parameters["seconds"])
        return [row for row, age in zip(rows, self._ages, strict=False) if age + over >= limit]


def plan(
    executor: FakeExecutor, clock: FixedClock, limit: int | None, *, patient: bool = True
) -> PlannedStep:
    seconds: dict[str, Any] = {**END["parameters"]["seconds"], "default": limit or 5}
    action = {**END["action"], "preview_settles": "seconds" if limit else None}
    runbook = a_runbook(steps=[{**END, "parameters": {"seconds": seconds}, "action": action}])
    knowledge = MemoryKnowledge(a_catalog(), {runbook.name: runbook})
    planner = Planner(knowledge=knowledge, executors=FakeExecutors(executor), clock=clock)
    return planner.plan_steps(runbook, an_alert(), "orders", patient=patient)[0]


def test_a_step_waits_until_something_passes_its_limit(clock: FixedClock) -> None:
    assert plan(Ripening(clock, 2, 2), clock, 5).preview == ROWS


def test_it_waits_for_the_young_when_some_are_old_enough_already(clock: FixedClock) -> None:
    assert plan(Ripening(clock, 60, 2), clock, 5).preview == ROWS


def test_it_waits_for_nobody_when_all_are_old_enough(clock: FixedClock) -> None:
    before = clock.moment
    assert plan(Ripening(clock, 60, 60), clock, 5).preview == ROWS
    assert (clock.moment - before).total_seconds() <= 1


def test_it_waits_no_longer_than_the_limit_and_never_for_ever(clock: FixedClock) -> None:
    for limit, longest in ((5, 7), (600, 21)):
        before = clock.moment
        step = plan(Ripening(clock), clock, limit)
        assert step.preview == ()
        assert step.blocked is None
        assert (clock.moment - before).total_seconds() <= longest


def test_without_leave_to_wait_it_looks_once(clock: FixedClock) -> None:
    executor = Ripening(clock, 2)
    assert plan(executor, clock, None).preview == ()
    assert len(executor.done) == 1


def test_a_plan_that_nobody_may_apply_waits_for_nothing(clock: FixedClock) -> None:
    executor = Ripening(clock, 2)
    assert plan(executor, clock, 5, patient=False).preview == ()
    assert len(executor.done) == 1
