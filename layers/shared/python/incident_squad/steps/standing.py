"""What a repair has left behind, exact enough for a human to go on from it."""

from collections.abc import Mapping, Sequence
from typing import Any

from incident_squad.domain.plan import Effect, Plan, PlannedStep, StepRecord, StepStatus

ROWS_SHOWN = 20
VALUES_SHOWN = 5
CHARACTERS = 300


def standing(plan: Plan | None, records: Sequence[StepRecord]) -> tuple[str, ...]:
    """One line for each step that was to change something: what stands, and how to take it back.

    Empty when nothing was ever begun.
    """
    begun = {record.place: record for record in records}
    if plan is None or not begun:
        return ()
    return tuple(
        _line(place, plan.steps[place], _of_this_plan(plan, begun.get(place)))
        for place in plan.indexes_to_run()
        if plan.steps[place].mutates
    )


def _of_this_plan(plan: Plan, record: StepRecord | None) -> StepRecord | None:
    """A record of an earlier plan counts only while its effect may still be there."""
    if record is None or record.plan_hash == plan.hash or record.effect is not Effect.NONE:
        return record
    return None


def _line(place: int, step: PlannedStep, record: StepRecord | None) -> str:
    where = f" on {step.target}" if step.target else ""
    return f"Step {place + 1} '{step.title}'{where}: {_state(step, record)}"


def _state(step: PlannedStep, record: StepRecord | None) -> str:
    if record is None:
        return "was not begun; nothing is changed."
    if record.status is StepStatus.UNDONE:
        return f"was applied and is taken back.{_rows('It was about', record.acted_on)}"
    if record.status is StepStatus.SKIPPED:
        return f"was not needed ({record.detail}); nothing is changed."
    if record.effect is Effect.NONE:
        return f"failed before it changed anything ({record.detail})."
    if record.effect is Effect.UNKNOWN:
        return (
            f"NOBODY KNOWS whether it took effect ({_why(record)}). Look there before you act."
            f"{_rows('It was about', record.acted_on)}{_back(step)}"
        )
    return (
        f"IS APPLIED and stands.{_rows('Changed', record.acted_on)}{_gave(record.result)}"
        f"{_back(step)}"
    )


def _why(record: StepRecord) -> str:
    state = record.status.value.replace("_", " ")
    return f"{state}: {record.detail}" if record.detail else f"it broke off while {state}"


def _rows(what: str, rows: Sequence[Mapping[str, str]]) -> str:
    if not rows:
        return ""
    shown = (
        ", ".join(f"{name}={value}" for name, value in row.items())[:CHARACTERS]
        for row in rows[:ROWS_SHOWN]
    )
    more = f" | and {len(rows) - ROWS_SHOWN} more" if len(rows) > ROWS_SHOWN else ""
    return f" {what}: {' | '.join(shown)}{more}."


def _gave(result: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name}={_short(value)}" for name, value in result.items())
    return f" It gave: {told[:CHARACTERS]}." if told else ""


def _short(value: object) -> str:
    if isinstance(value, list) and len(value) > VALUES_SHOWN:
        return f"{value[:VALUES_SHOWN]} and {len(value) - VALUES_SHOWN} more"
    return str(value)


def _back(step: PlannedStep) -> str:
    return f" To take it back: {step.undo.rstrip('.')}." if step.undo else ""
