"""Whoever takes over is told exactly what stands where, and how to take it back."""

import pytest

from incident_squad.domain.errors import SquadError, StepFailed, TargetUnavailable
from incident_squad.steps.standing import standing
from tests.builders import INCIDENT_ID
from tests.unit.steps.remediation import COUNT, END, FINE, Squad, the_runbook

FIRST = {**END, "title": "First"}
SECOND = {**END, "title": "Second"}


def a_squad(**more: object) -> Squad:
    return Squad(runbook=the_runbook(COUNT, FIRST, SECOND), **more)  # type: ignore[arg-type]


def run(squad: Squad) -> None:
    try:
        squad.run_all()
    except SquadError:
        squad.undo()


def lines(squad: Squad) -> tuple[str, ...]:
    return standing(squad.the_plan, squad.incidents.steps(INCIDENT_ID))


def test_nothing_begun_is_nothing_changed() -> None:
    assert lines(a_squad()) == ()
    assert standing(None, ()) == ()


def test_what_is_applied_stands_with_its_rows_and_its_undo() -> None:
    squad = a_squad()
    squad.run_all()
    first, second = lines(squad)
    assert first.startswith("Step 2 'First' on orders-db: IS APPLIED and stands.")
    assert "Changed: pid=11, query=a | pid=12, query=b." in first
    assert "It gave: ended=['11']." in first
    assert second.startswith("Step 3 'Second'")


@pytest.mark.parametrize(
    ("where", "error", "said"),
    [
        ("preview:Second", StepFailed("no"), ("is taken back", "failed before it changed")),
        ("apply:Second", TargetUnavailable("no"), ("is taken back", "failed before it changed")),
        ("apply:Second", StepFailed("no"), ("is taken back", "NOBODY KNOWS whether it took")),
        ("apply:First", StepFailed("no"), ("NOBODY KNOWS whether it took", "was not begun")),
        ("apply:First", TargetUnavailable("no"), ("failed before it changed", "was not begun")),
    ],
)
def test_a_failure_at_any_point_is_told_as_it_is(
    where: str, error: SquadError, said: tuple[str, str]
) -> None:
    squad = a_squad()
    squad.executor.fails[where] = error
    run(squad)
    for line, words in zip(lines(squad), said, strict=True):
        assert words in line


def test_an_undo_that_failed_is_not_called_taken_back() -> None:
    squad = a_squad(answers={**FINE, "left": 2})
    squad.executor.fails["undo:First"] = StepFailed("refused")
    run(squad)
    first, second = lines(squad)
    assert "NOBODY KNOWS" in first
    assert "undo failed: refused" in first
    assert "pid=11" in first
    assert "was not begun" in second


def test_a_long_list_is_cut_and_counted() -> None:
    rows = tuple({"pid": str(n)} for n in range(30))
    squad = Squad(runbook=the_runbook(END), rows=rows)
    squad.plan = squad.the_plan.model_copy(
        update={"steps": (squad.the_plan.steps[0].model_copy(update={"preview": rows}),)}
    )
    squad.incidents.put_plan(squad.plan)
    squad.approve(id="ccccdddd")
    squad.run_all()
    (line,) = lines(squad)
    assert "pid=19 | and 10 more." in line
