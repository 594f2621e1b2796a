"""Every way through the workflow that is not an error."""

import threading
from typing import Any

import pytest

from incident_squad.contracts import Contract, Done, RequestApprovalOutput, TriageOutput
from incident_squad.domain.approval import Decision
from incident_squad.domain.incident import Stage
from incident_squad.domain.plan import Applier
from incident_squad.domain.values import IncidentType, Severity
from tests.workflow.interpreter import Interpreter
from tests.workflow.script import INCIDENT, Script, plan, recovery

NEW = {"incidentId": INCIDENT, "stage": Stage.TRIAGE, "type": None}
RESPOND = {
    "Respond",
    "Which specialist?",
    "InvestigateDatabase",
    "NotifyOnCall",
    "DraftUpdate",
    "PublishUpdate",
}
TO_PLAN = ["Synthesize", "PublishIdentified", "Who may apply the fix?"]
CLOSING = ["PublishResolved", "CloseIncident", "Closed"]
MENDING = ["Remediate", "RemediateStep", "VerifyRecovery", "Recovered?", "PublishMonitoring"]


def decided(machine: Interpreter, decision: Decision) -> Script:
    """A script in which somebody decides as soon as they are asked."""

    def ask(payload: dict[str, Any]) -> Contract:
        answer = RequestApprovalOutput(decision=decision, approval_id="a" * 12)
        output = answer.model_dump(mode="json", by_alias=True)
        # A person is never faster than the Lambda that asks.
        threading.Timer(0.05, machine.decide, (payload["taskToken"], output)).start()
        return Done()

    return Script().answers("synthesize", plan(Applier.HUMAN, 0)).does("request_approval", ask)


def test_a_small_incident_is_mended_and_closed_without_anybody(machine: Interpreter) -> None:
    run = machine.run(Script(), NEW)
    assert run.status == "SUCCEEDED"
    assert run.states[:2] == ["Where does it stand?", "Triage"]
    assert set(run.states[2:8]) == RESPOND
    assert run.states[8:] == [
        *TO_PLAN,
        "Remediate",
        "RemediateStep",
        "RemediateStep",
        *MENDING[2:],
        *CLOSING,
    ]


def test_steps_are_applied_one_by_one_in_the_order_of_the_plan(machine: Interpreter) -> None:
    run = machine.run(Script().answers("synthesize", plan(Applier.AUTO, 3, 0, 1)), NEW)
    assert [payload["step"] for payload in run.given("remediate")] == [3, 0, 1]


@pytest.mark.parametrize("kind", list(IncidentType))
def test_each_type_has_its_specialist(machine: Interpreter, kind: IncidentType) -> None:
    found = TriageOutput(type=kind, severity=Severity.SEV2)
    run = machine.run(Script().answers("triage", found), NEW)
    looked = [name for name, _ in run.calls if name.startswith("investigate_")]
    assert looked == [f"investigate_{kind}"]


def test_an_approved_plan_is_applied(machine: Interpreter) -> None:
    run = machine.run(decided(machine, Decision.APPROVED), NEW)
    assert run.states[-10:] == ["RequestApproval", "Approved?", *MENDING, *CLOSING]
    assert len(run.given("remediate")) == 1


def test_a_rejected_plan_is_not_applied(machine: Interpreter) -> None:
    run = machine.run(decided(machine, Decision.REJECTED), NEW)
    assert run.states[-4:] == ["RequestApproval", "Approved?", "HandOver", "HandedOver"]
    assert not run.given("remediate")
    assert run.given("hand_over") == [
        {
            "incidentId": INCIDENT,
            "reason": "Approved?: the plan was not approved.",
            "error": None,
        }
    ]


def test_trouble_that_ends_by_itself_is_verified_and_closed_without_a_fix(
    machine: Interpreter,
) -> None:
    run = machine.run(decided(machine, Decision.RECOVERED), NEW)
    assert run.states[-7:] == ["Approved?", *MENDING[2:], *CLOSING]
    assert not run.given("remediate")


def test_an_approval_that_nobody_gives_expires_and_pages(machine: Interpreter) -> None:
    script = Script().answers("synthesize", plan(Applier.HUMAN, 0, approval_seconds=1))
    run = machine.run(script, NEW)
    assert run.ended_in == "HandedOver"
    assert not run.given("remediate")
    (page,) = run.given("hand_over")
    assert page["reason"] == "RequestApproval: the approval expired without a decision."
    assert page["error"]["Error"] == "States.Timeout"


def test_a_plan_that_nobody_may_apply_goes_to_a_human(machine: Interpreter) -> None:
    run = machine.run(Script().answers("synthesize", plan(Applier.NOBODY)), NEW)
    assert run.states[-3:] == ["Who may apply the fix?", "HandOver", "HandedOver"]
    assert not run.given("remediate")


def test_a_false_alarm_is_closed_without_a_fix(machine: Interpreter) -> None:
    run = machine.run(Script().answers("synthesize", plan(Applier.UNNEEDED)), NEW)
    assert run.states[-6:] == [*TO_PLAN, *CLOSING]
    assert not run.given("remediate")


def test_a_plan_without_steps_still_waits_for_recovery(machine: Interpreter) -> None:
    run = machine.run(Script().answers("synthesize", plan(Applier.AUTO)), NEW)
    assert run.states[-7:] == ["Remediate", *MENDING[2:], *CLOSING]
    assert not run.given("remediate")


def test_recovery_is_waited_for(machine: Interpreter) -> None:
    script = Script().answers("verify_recovery", recovery("not_yet"), recovery("yes"))
    run = machine.run(script, NEW)
    again = ["VerifyRecovery", "Recovered?"]
    assert run.states[-9:] == [*again, "WaitForRecovery", *again, "PublishMonitoring", *CLOSING]


def test_a_symptom_that_stays_goes_to_a_human(machine: Interpreter) -> None:
    run = machine.run(Script().answers("verify_recovery", recovery("no")), NEW)
    assert run.states[-3:] == ["Recovered?", "HandOver", "HandedOver"]
    assert not run.given("close_incident")


def test_a_fix_that_is_wanted_back_is_undone_before_a_human_is_called(
    machine: Interpreter,
) -> None:
    run = machine.run(Script().answers("verify_recovery", recovery("undo")), NEW)
    assert run.states[-4:] == ["Recovered?", "UndoRemediation", "HandOver", "HandedOver"]
    (page,) = run.given("hand_over")
    assert page["reason"].startswith("Recovered?: ")


def test_what_is_left_to_people_goes_to_people(machine: Interpreter) -> None:
    run = machine.run(Script().answers("verify_recovery", recovery("tasks")), NEW)
    assert run.states[-3:] == ["Recovered?", "HandOver", "HandedOver"]
    (page,) = run.given("hand_over")
    assert page["reason"].startswith("Recovered?: ")


@pytest.mark.parametrize(
    ("stage", "first"),
    [
        (Stage.TRIAGE, "Triage"),
        (Stage.RESPOND, "Respond"),
        (Stage.SYNTHESIZE, "Synthesize"),
        (Stage.APPROVAL, "Synthesize"),
        (Stage.REMEDIATE, "Synthesize"),
        (Stage.RECOVERY, "VerifyRecovery"),
        (Stage.CLOSE, "PublishResolved"),
        (Stage.HAND_OVER, "HandOver"),
    ],
)
def test_a_lost_execution_is_taken_up_where_the_incident_stands(
    machine: Interpreter, stage: Stage, first: str
) -> None:
    run = machine.run(Script(), {"incidentId": INCIDENT, "stage": stage, "type": "database"})
    assert run.states[:2] == ["Where does it stand?", first]
    assert run.status == "SUCCEEDED"
    assert run.ended_in == ("HandedOver" if stage is Stage.HAND_OVER else "Closed")
