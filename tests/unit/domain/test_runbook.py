"""What a runbook's schema refuses before any incident."""

from typing import Any

import pytest
from pydantic import ValidationError

from incident_squad.domain.runbook import Parameter, Signals, SqlProbe, Step
from tests.builders import a_runbook

CONDITION = {
    "title": "still wrong",
    "probe": {"kind": "sql", "target": "database", "sql": "SELECT 1"},
    "expect": {"op": "==", "value": 1},
}


def a_step(**fields: Any) -> Step:
    known: dict[str, Any] = {
        "title": "End the sessions",
        "command": "SELECT pg_terminate_backend(pid)",
        "mutates": True,
        "risk": "medium",
        "action": {
            "kind": "sql",
            "target": "database",
            "preview": "SELECT pid FROM pg_stat_activity",
            "apply": "SELECT pg_terminate_backend(pid) FROM unnest(%(preview_pid)s::int[]) pid",
        },
        "precheck": CONDITION,
        "verify": CONDITION,
        "undo": {"title": "Nothing to take back"},
    }
    return Step.model_validate({**known, **fields})


def test_a_changing_step_is_a_transaction() -> None:
    assert a_step().kind == "sql"


@pytest.mark.parametrize("part", ["precheck", "verify", "undo"])
def test_a_changing_step_without_a_part_of_its_transaction_is_refused(part: str) -> None:
    with pytest.raises(ValidationError, match="needs precheck, verify and undo"):
        a_step(**{part: None})


def test_a_changing_step_without_risk_is_refused() -> None:
    with pytest.raises(ValidationError, match="its risk is low, medium or high"):
        a_step(risk="none")


def test_a_change_of_a_database_without_a_preview_is_refused() -> None:
    with pytest.raises(ValidationError, match="needs a preview"):
        a_step(action={"kind": "sql", "target": "database", "apply": "SELECT 1"})


def test_a_person_needs_no_precheck() -> None:
    step = a_step(
        action={"kind": "manual", "instructions": "Look."}, precheck=None, verify=None, undo=None
    )

    assert step.mutates


def test_free_text_is_no_parameter() -> None:
    with pytest.raises(ValidationError, match="needs choices or a pattern"):
        Parameter.model_validate({"type": "string", "description": "anything"})


def test_a_number_without_bounds_is_refused() -> None:
    with pytest.raises(ValidationError, match="needs min and max"):
        Parameter.model_validate({"type": "integer", "description": "many", "min": 1})


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        a_runbook(sings="no such thing")


def test_an_unknown_kind_of_action_is_refused() -> None:
    with pytest.raises(ValidationError, match="does not match any of the expected tags"):
        a_step(action={"kind": "shell", "script": "rm -rf /"})


def test_an_estimate_has_a_figure() -> None:
    with pytest.raises(ValidationError, match="estimatedTime"):
        a_runbook(estimatedTime="soon")


def test_what_is_left_out_has_quiet_defaults() -> None:
    book = a_runbook()

    assert (book.signals, book.recovery, book.path) == (Signals(), (), "")
    assert SqlProbe(kind="sql", target="pool", sql="SHOW POOLS").column is None
