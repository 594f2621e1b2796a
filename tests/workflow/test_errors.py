"""What happens when a state fails: a human is paged, always."""

from typing import Any

import pytest

from incident_squad.domain.errors import StepFailed, TargetUnavailable, TransientFailure
from incident_squad.domain.incident import Stage
from incident_squad.domain.plan import Applier
from tests.workflow.interpreter import Interpreter
from tests.workflow.script import INCIDENT, Script, plan

NEW = {"incidentId": INCIDENT, "stage": Stage.TRIAGE, "type": None}

FAILS_IN = {
    "triage": "Triage",
    "investigate_database": "Respond",
    "notify_on_call": "Respond",
    "draft_update": "Respond",
    "synthesize": "Synthesize",
    "verify_recovery": "VerifyRecovery",
    "close_incident": "CloseIncident",
}


def page(run_given: list[dict[str, Any]]) -> dict[str, Any]:
    (given,) = run_given
    return given


@pytest.mark.parametrize(("function", "state"), FAILS_IN.items())
def test_a_state_that_fails_hands_over(machine: Interpreter, function: str, state: str) -> None:
    run = machine.run(Script().fails(function, StepFailed("it broke")), NEW)
    assert run.status == "SUCCEEDED"
    assert run.states[-2:] == ["HandOver", "HandedOver"]
    given = page(run.given("hand_over"))
    assert given["incidentId"] == INCIDENT
    assert given["reason"].startswith(f"{state}: ")
    assert given["error"]["Error"] == "StepFailed"
    assert "it broke" in given["error"]["Cause"]


@pytest.mark.parametrize(
    ("update", "state"),
    [
        ("Investigating", "Respond"),
        ("Identified", "PublishIdentified"),
        ("Monitoring", "PublishMonitoring"),
        ("Resolved", "PublishResolved"),
    ],
)
def test_an_update_that_cannot_be_published_hands_over(
    machine: Interpreter, update: str, state: str
) -> None:
    script = Script()
    usual = script.usual("publish_update")

    def publish(payload: dict[str, Any]) -> Any:
        if payload["state"] == update:
            raise StepFailed("the status page is away")
        return usual(payload)

    run = machine.run(script.does("publish_update", publish), NEW)
    assert run.ended_in == "HandedOver"
    assert page(run.given("hand_over"))["reason"].startswith(f"{state}: ")


def test_a_request_for_approval_that_fails_hands_over(machine: Interpreter) -> None:
    script = Script().answers("synthesize", plan(Applier.HUMAN, 0))
    run = machine.run(script.fails("request_approval", StepFailed("no approvers")), NEW)
    assert run.ended_in == "HandedOver"
    assert page(run.given("hand_over"))["reason"].startswith("RequestApproval: nobody")


def test_a_broken_fix_is_taken_back_and_handed_over(machine: Interpreter) -> None:
    script = Script().answers("synthesize", plan(Applier.AUTO, 0, 1, 2))
    usual = script.usual("remediate")

    def remediate(payload: dict[str, Any]) -> Any:
        if payload["step"] == 1:
            raise StepFailed("the pool did not grow")
        return usual(payload)

    run = machine.run(script.does("remediate", remediate), NEW)
    assert run.states[-3:] == ["UndoRemediation", "HandOver", "HandedOver"]
    assert [payload["step"] for payload in run.given("remediate")] == [0, 1]
    assert page(run.given("hand_over"))["error"]["Error"] == "StepFailed"


def test_a_step_is_not_tried_again_even_for_a_passing_trouble(machine: Interpreter) -> None:
    run = machine.run(Script().fails("remediate", TransientFailure("unknown outcome")), NEW)
    assert len(run.given("remediate")) == 1
    assert run.ended_in == "HandedOver"


def test_an_undo_that_fails_is_handed_over_as_such(machine: Interpreter) -> None:
    script = Script().fails("remediate", StepFailed("it broke"))
    run = machine.run(script.fails("undo_remediation", StepFailed("and stays broken")), NEW)
    assert run.ended_in == "HandedOver"
    given = page(run.given("hand_over"))
    assert given["reason"].startswith("UndoRemediation: ")
    assert "stays broken" in given["error"]["Cause"]


@pytest.mark.parametrize("error", [TransientFailure("busy"), TargetUnavailable("away")])
def test_a_passing_trouble_is_tried_again(machine: Interpreter, error: Exception) -> None:
    run = machine.run(Script().fails("triage", error, times=2), NEW)
    assert len(run.given("triage")) == 3
    assert run.ended_in == "Closed"


def test_a_lasting_trouble_is_not_tried_for_ever(machine: Interpreter) -> None:
    run = machine.run(Script().fails("synthesize", TransientFailure("busy")), NEW)
    assert len(run.given("synthesize")) == 4
    assert run.ended_in == "HandedOver"


def test_the_hand_over_itself_is_stubborn(machine: Interpreter) -> None:
    script = Script().answers("synthesize", plan(Applier.NOBODY))
    run = machine.run(script.fails("hand_over", TransientFailure("SNS is away"), times=5), NEW)
    assert len(run.given("hand_over")) == 6
    assert run.ended_in == "HandedOver"


def test_a_hand_over_that_fails_for_good_fails_the_execution(machine: Interpreter) -> None:
    script = Script().answers("synthesize", plan(Applier.NOBODY))
    run = machine.run(script.fails("hand_over", StepFailed("nobody took the page")), NEW)
    assert run.status == "FAILED"  # and the rule outside the machine pages
    assert run.error == "StepFailed"


def test_a_type_without_a_specialist_hands_over(machine: Interpreter) -> None:
    run = machine.run(Script(), {"incidentId": INCIDENT, "stage": "respond", "type": "weather"})
    assert run.ended_in == "HandedOver"
    assert page(run.given("hand_over"))["error"]["Error"] == "InvalidConfiguration"
