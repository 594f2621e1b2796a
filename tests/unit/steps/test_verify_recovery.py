from collections.abc import Mapping
from typing import Any

import pytest

from incident_squad.adapters.memory import MemoryKnowledge
from incident_squad.contracts import IncidentInput, VerifyRecoveryOutput
from incident_squad.domain.catalog import Policies
from incident_squad.domain.errors import PlanChanged
from incident_squad.domain.evidence import EvidenceStatus
from incident_squad.domain.incident import IncidentStatus, Stage
from incident_squad.domain.plan import StepRecord, StepStatus
from incident_squad.steps.verify_recovery import VerifyRecovery
from tests.builders import INCIDENT_ID, NOW, a_triage, an_alert, later
from tests.fakes import FakeProbers
from tests.unit.steps.remediation import COUNT, END, Squad, the_runbook

RECOVERY: list[dict[str, Any]] = [
    {
        "title": "Few connections",
        "probe": {"kind": "sql", "target": "database", "sql": "share"},
        "expect": {"op": "<", "value": 0.8},
        "within_seconds": 300,
    },
    {
        "title": "No errors",
        "probe": {"kind": "sql", "target": "database", "sql": "errors"},
        "expect": {"op": "==", "value": 0},
    },
]


def a_squad(recovery: list[dict[str, Any]] | None = None) -> Squad:
    squad = Squad(runbook=the_runbook(recovery=RECOVERY if recovery is None else recovery))
    squad.incidents.put_step(
        INCIDENT_ID,
        StepRecord(
            place=1,
            plan_hash=squad.the_plan.hash,
            status=StepStatus.APPLIED,
            started_at=later(minutes=4),
            finished_at=later(minutes=5),
        ),
    )
    squad.clock.moment = later(minutes=5)
    return squad


def verify(squad: Squad, answers: Mapping[str, Any]) -> VerifyRecoveryOutput:
    use_case = VerifyRecovery(
        incidents=squad.incidents,
        timeline=squad.timeline,
        knowledge=squad.knowledge,
        probers=FakeProbers(squad.clock, answers),
        clock=squad.clock,
    )
    return use_case(IncidentInput(incident_id=INCIDENT_ID))


def test_recovered_when_every_condition_holds() -> None:
    squad = a_squad()
    assert verify(squad, {"share": 0.2, "errors": 0}).recovered == "yes"
    assert squad.events == ["RecoveryVerified"]
    assert squad.timeline.read(INCIDENT_ID)[0].evidence_ids == ("R1", "R2")
    assert [one.id for one in squad.incidents.evidence(INCIDENT_ID)] == ["R1", "R2"]
    incident = squad.incidents.get(INCIDENT_ID)
    assert (incident.status, incident.stage) == (IncidentStatus.VERIFYING, Stage.CLOSE)


@pytest.mark.parametrize("errors", [3, EvidenceStatus.ERROR, EvidenceStatus.NOT_CONFIGURED])
def test_one_condition_that_does_not_hold_is_not_yet(errors: Any) -> None:
    squad = a_squad()
    squad.clock.moment = later(minutes=6)
    seen = verify(squad, {"share": 0.2, "errors": errors})
    assert seen == VerifyRecoveryOutput(recovered="not_yet", wait_seconds=5)
    assert squad.events == []
    assert squad.incidents.get(INCIDENT_ID).stage is Stage.RECOVERY


def test_looks_follow_each_other_quickly_right_after_the_repair() -> None:
    squad = a_squad()
    squad.clock.moment = later(minutes=5, seconds=19)
    assert verify(squad, {"share": 0.9, "errors": 0}).wait_seconds == 1
    squad.clock.moment = later(minutes=5, seconds=20)
    assert verify(squad, {"share": 0.9, "errors": 0}).wait_seconds == 5


def test_the_time_for_recovery_counts_from_the_end_of_the_repair() -> None:
    squad = a_squad()
    squad.clock.moment = later(minutes=14, seconds=59)
    assert verify(squad, {"share": 0.9, "errors": 0}).recovered == "not_yet"
    squad.clock.moment = later(minutes=15)
    assert verify(squad, {"share": 0.9, "errors": 0}).recovered == "no"
    assert squad.events == ["RecoveryNotSeen"]
    assert "'Few connections' is not so: 0.9" in squad.said
    assert "No errors" not in squad.said
    assert squad.incidents.get(INCIDENT_ID).stage is Stage.HAND_OVER


def a_squad_that_wants_it_back(**undo: Any) -> Squad:
    step = {**END, "undo": undo or END["undo"]}
    runbook = the_runbook(COUNT, step, recovery=RECOVERY, undo_when_not_recovered=True)
    squad = Squad(runbook=runbook)
    squad.run_all()
    squad.clock.moment = later(hours=1)
    return squad


def test_a_fix_that_did_not_help_is_taken_back_where_the_runbook_says_so() -> None:
    squad = a_squad_that_wants_it_back()
    assert verify(squad, {"share": 0.9, "errors": 0}).recovered == "undo"
    assert squad.incidents.get(INCIDENT_ID).stage is Stage.RECOVERY
    squad.undo()
    assert squad.done[-1] == "undo:End the stuck sessions"
    # An execution that was lost meanwhile is taken up here, and there is nothing left to undo.
    squad.clock.moment = later(hours=2)
    assert verify(squad, {"share": 0.9, "errors": 0}).recovered == "no"
    assert squad.incidents.get(INCIDENT_ID).stage is Stage.HAND_OVER


def test_a_fix_without_an_undo_stands_and_is_handed_over() -> None:
    squad = a_squad_that_wants_it_back(title="Nothing to take back")
    assert verify(squad, {"share": 0.9, "errors": 0}).recovered == "no"


MANUAL = {
    "title": "Call the provider",
    "command": "Call them",
    "action": {"kind": "manual", "instructions": "by phone"},
}


@pytest.mark.parametrize(("share", "said"), [(0.2, "the symptom is gone"), (0.9, "is not so: 0.9")])
def test_when_its_part_is_done_people_get_theirs_at_once(share: float, said: str) -> None:
    squad = Squad(runbook=the_runbook(COUNT, END, MANUAL, recovery=RECOVERY))
    squad.run_all()
    assert verify(squad, {"share": share, "errors": 0}).recovered == "tasks"
    assert squad.events[-1] == "TasksLeft"
    assert "Call the provider" in squad.said
    assert said in squad.said
    assert squad.incidents.get(INCIDENT_ID).stage is Stage.HAND_OVER


def test_a_task_for_people_is_never_run() -> None:
    squad = Squad(runbook=the_runbook(COUNT, END, MANUAL))
    assert squad.the_plan.indexes_to_run() == (0, 1)
    with pytest.raises(PlanChanged, match="no step 3 to run"):
        squad.run(2)


def test_what_cannot_be_seen_is_no_recovery() -> None:
    squad = a_squad()
    squad.clock.moment = later(hours=1)
    assert verify(squad, {}).recovered == "no"
    assert "'Few connections' cannot be seen (not configured)" in squad.said


def test_the_word_of_the_alerts_source_counts() -> None:
    squad = a_squad()
    squad.incidents.change(INCIDENT_ID, source_resolved_at=NOW)
    assert verify(squad, {"share": 0.9}).recovered == "yes"
    assert "alertmanager says" in squad.said


def test_without_conditions_only_the_source_can_say_so() -> None:
    squad = a_squad(recovery=[])
    assert verify(squad, {}).recovered == "not_yet"
    squad.clock.moment = later(hours=1)
    assert verify(squad, {}).recovered == "no"
    assert "nothing here can show" in squad.said


def test_a_plan_without_a_runbook_has_no_conditions() -> None:
    squad = a_squad()
    squad.incidents.put_plan(squad.the_plan.model_copy(update={"runbook_id": None}))
    assert verify(squad, {"share": 0.2, "errors": 0}).recovered == "not_yet"


def test_a_false_alarm_has_nothing_to_recover_from() -> None:
    squad = a_squad(recovery=[])
    squad.incidents.change(INCIDENT_ID, triage=a_triage(noise=True))
    assert verify(squad, {}).recovered == "yes"


def test_without_any_step_the_time_counts_from_the_beginning() -> None:
    squad = Squad(runbook=the_runbook(recovery=RECOVERY))
    squad.clock.moment = later(minutes=9)
    assert verify(squad, {"share": 0.9}).recovered == "not_yet"
    squad.clock.moment = later(minutes=10)
    assert verify(squad, {"share": 0.9}).recovered == "no"


def a_stable_squad() -> Squad:
    stable = {**RECOVERY[0], "for_seconds": 60}
    return a_squad([stable])


def test_a_symptom_must_stay_away_for_as_long_as_the_runbook_says() -> None:
    squad = a_stable_squad()
    seen = []
    for seconds in (0, 20, 40, 59, 60):
        squad.clock.moment = later(minutes=6, seconds=seconds)
        seen.append(verify(squad, {"share": 0.2}).recovered)
    assert seen == ["not_yet"] * 4 + ["yes"]
    (evidence,) = squad.incidents.evidence(INCIDENT_ID)
    assert evidence.held_since == later(minutes=6)


def test_a_symptom_that_comes_back_starts_the_clock_again() -> None:
    squad = a_stable_squad()
    looks = ((0, 0.2), (30, 0.9), (60, 0.2), (90, 0.2), (120, 0.2))
    seen = []
    for seconds, share in looks:
        squad.clock.moment = later(minutes=6, seconds=seconds)
        seen.append(verify(squad, {"share": share}).recovered)
    assert seen == ["not_yet"] * 4 + ["yes"]


def test_nobody_knows_what_happened_while_nobody_looked() -> None:
    squad = a_stable_squad()
    for seconds in (0, 120):
        squad.clock.moment = later(minutes=6, seconds=seconds)
        assert verify(squad, {"share": 0.2}).recovered == "not_yet"


def test_what_held_before_the_last_repair_proves_nothing_about_it() -> None:
    squad = a_stable_squad()
    squad.clock.moment = later(minutes=6)
    verify(squad, {"share": 0.2})
    squad.incidents.put_step(
        INCIDENT_ID,
        StepRecord(
            place=1,
            plan_hash=squad.the_plan.hash,
            status=StepStatus.APPLIED,
            started_at=later(minutes=6),
            finished_at=later(minutes=6, seconds=10),
        ),
    )
    for seconds, recovered in ((30, "not_yet"), (60, "not_yet"), (90, "yes")):
        squad.clock.moment = later(minutes=6, seconds=seconds)
        assert verify(squad, {"share": 0.2}).recovered == recovered


def test_too_short_is_said_when_the_time_is_over() -> None:
    squad = a_stable_squad()
    squad.clock.moment = later(minutes=15)
    assert verify(squad, {"share": 0.2}).recovered == "no"
    assert "'Few connections' is so, but not for long enough: 0.2" in squad.said


def test_the_next_look_is_when_it_will_have_held_for_long_enough() -> None:
    squad = a_squad(recovery=[{**RECOVERY[0], "within_seconds": 0, "for_seconds": 3}])
    squad.clock.moment = later(minutes=6)
    assert verify(squad, {"share": 0.2}) == VerifyRecoveryOutput(
        recovered="not_yet", wait_seconds=3
    )
    squad.clock.moment = later(minutes=6, seconds=3)
    assert verify(squad, {"share": 0.2}).recovered == "yes"


def test_an_operator_may_ask_for_a_longer_time_than_the_runbook() -> None:
    squad = a_squad()
    policies = Policies(recovery_hold_seconds={squad.runbook.name: 30})
    catalog = squad.catalog.model_copy(update={"policies": policies})
    squad.knowledge = MemoryKnowledge(catalog, squad.knowledge.runbooks)
    seen = []
    for seconds in (0, 29, 30):
        squad.clock.moment = later(minutes=6, seconds=seconds)
        seen.append(verify(squad, {"share": 0.2, "errors": 0}).recovered)
    assert seen == ["not_yet", "not_yet", "yes"]


def test_a_source_that_agrees_makes_the_wait_shorter() -> None:
    squad = a_stable_squad()
    squad.clock.moment = later(minutes=6)
    squad.incidents.attach(INCIDENT_ID, an_alert(status="resolved"))
    assert verify(squad, {"share": 0.9}).recovered == "not_yet"
    assert verify(squad, {"share": 0.2}).recovered == "yes"
    assert "alertmanager says that the first alert is over" in squad.said
