"""Safe by default: a repair runs once, a failing service is for people, a switch stops it all."""

from datetime import timedelta
from typing import Any

import pytest

from incident_squad.contracts import IncidentInput, RemediateInput
from incident_squad.domain.errors import PolicyViolation, SquadError
from incident_squad.domain.incident import Incident, IncidentStatus
from incident_squad.domain.plan import Applier, Effect, Plan, StepRecord, StepStatus
from incident_squad.domain.values import Severity
from incident_squad.steps.planning import Planner
from incident_squad.steps.synthesize import Synthesize
from tests.builders import INCIDENT_ID, NOW, a_catalog, a_diagnosis, a_triage, an_alert, an_incident
from tests.unit.steps.remediation import COUNT, END, Squad, the_plan, the_runbook

EARLIER = "INC-20261122-00001"


def a_squad(**fields: Any) -> Squad:
    seconds = {"type": "integer", "description": "x", "min": 1, "max": 600, "default": 60}
    runbook = the_runbook(COUNT, {**END, "parameters": {"seconds": seconds}})
    plan = the_plan(runbook, Applier.AUTO)
    return Squad(severity=Severity.SEV3, runbook=runbook, plan=plan, approved=False, **fields)


def synthesize(squad: Squad) -> Plan:
    triage = a_triage(severity=Severity.SEV3)
    squad.incidents.change(INCIDENT_ID, triage=triage)
    squad.incidents.put_diagnosis(INCIDENT_ID, a_diagnosis(runbook_id=squad.runbook.name))
    use_case = Synthesize(
        incidents=squad.incidents,
        approvals=squad.approvals,
        timeline=squad.timeline,
        knowledge=squad.knowledge,
        planner=Planner(knowledge=squad.knowledge, executors=squad.executors, clock=squad.clock),
        clock=squad.clock,
    )
    use_case(IncidentInput(incident_id=INCIDENT_ID))
    plan = squad.incidents.plan(INCIDENT_ID)
    assert plan is not None
    return plan


def an_earlier_repair(
    squad: Squad,
    ended: StepStatus,
    number: int = 1,
    *,
    applier: Applier = Applier.AUTO,
    **fields: Any,
) -> Incident:
    incident_id = f"{EARLIER[:-1]}{number}"
    opened = NOW - timedelta(minutes=10 * number)
    known = {"id": incident_id, "opened_at": opened, "severity": Severity.SEV3}
    incident = an_incident(**{**known, **fields})
    alert = an_alert(key=f"earlier-{number}")
    squad.incidents.open(incident, alert, NOW + timedelta(days=1))
    plan = the_plan(squad.runbook, applier).model_copy(update={"incident_id": incident_id})
    squad.incidents.put_plan(plan)
    record = StepRecord(
        place=1, plan_hash=plan.hash, status=ended, effect=Effect.DONE, started_at=opened
    )
    squad.incidents.put_step(incident_id, record)
    return incident


def test_a_repair_runs_once_however_often_it_is_asked_for() -> None:
    squad = a_squad()
    squad.run_all()
    for _ in range(3):
        for place in squad.the_plan.indexes_to_run():
            squad.run(place)
    applied = [act for act in squad.done if act.startswith("apply:")]
    assert len(applied) == len(set(applied)) == len(squad.the_plan.to_run())


def test_a_plan_that_was_begun_is_kept_and_never_replaced_by_a_new_one() -> None:
    squad = a_squad()
    plan = squad.the_plan
    squad.run_all()
    squad.clock.sleep(60)
    assert synthesize(squad).hash == plan.hash


def test_another_plan_of_the_same_incident_repairs_nothing_again() -> None:
    squad = a_squad()
    squad.run_all()
    acts = len(squad.done)
    again = squad.the_plan.model_copy(update={"created_at": NOW + timedelta(minutes=1)})
    squad.incidents.put_plan(again)
    squad.incidents.change(INCIDENT_ID, status=IncidentStatus.FIXING)
    with pytest.raises(SquadError, match="an earlier try ended as applied"):
        squad.remediate(RemediateInput(incident_id=INCIDENT_ID, step=1))
    assert len(squad.done) == acts


def test_a_first_repair_is_automatic() -> None:
    assert synthesize(a_squad()).applier is Applier.AUTO


@pytest.mark.parametrize(
    "status", [StepStatus.FAILED, StepStatus.UNDONE, StepStatus.UNDO_FAILED, StepStatus.UNDOING]
)
def test_after_a_failed_automatic_repair_a_person_is_asked(status: StepStatus) -> None:
    squad = a_squad()
    an_earlier_repair(squad, status)
    plan = synthesize(squad)
    assert plan.applier is Applier.HUMAN
    assert EARLIER in " ".join(plan.why)
    proposed = [e for e in squad.timeline.read(INCIDENT_ID) if e.event == "PlanProposed"]
    assert "circuit breaker" in proposed[-1].summary


def test_a_repair_that_did_not_help_is_a_failure_too() -> None:
    squad = a_squad()
    an_earlier_repair(squad, StepStatus.APPLIED, status=IncidentStatus.HANDED_OVER)
    assert synthesize(squad).applier is Applier.HUMAN


def test_what_comes_back_again_and_again_is_for_a_person() -> None:
    squad = a_squad()
    for number in (1, 2):
        an_earlier_repair(squad, StepStatus.APPLIED, number)
    assert synthesize(squad).applier is Applier.AUTO
    squad = a_squad()
    for number in (1, 2, 3):
        an_earlier_repair(squad, StepStatus.APPLIED, number)
    assert synthesize(squad).applier is Applier.HUMAN


@pytest.mark.parametrize(
    "fields",
    [
        {"service": "payments"},
        {"opened_at": NOW - timedelta(hours=5)},
        {"applier": Applier.HUMAN},
    ],
    ids=["another service", "long ago", "approved by a person"],
)
def test_other_repairs_do_not_count(fields: dict[str, Any]) -> None:
    squad = a_squad()
    an_earlier_repair(squad, StepStatus.FAILED, **fields)
    assert synthesize(squad).applier is Applier.AUTO


def test_one_switch_stops_all_automatic_repair() -> None:
    policies = a_catalog().policies.model_copy(update={"automatic_repair": False})
    squad = a_squad(catalog=a_catalog().model_copy(update={"policies": policies}))
    with pytest.raises(PolicyViolation, match="switched off"):
        squad.run(1)
    assert squad.done == []
    assert synthesize(squad).applier is Applier.HUMAN
