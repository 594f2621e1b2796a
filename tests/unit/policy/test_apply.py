"""Laws 1 and 9: who may apply a fix."""

import pytest

from incident_squad.domain.plan import Applier, PlannedStep
from incident_squad.domain.runbook import StepCondition
from incident_squad.domain.values import Risk, Severity
from incident_squad.policy.apply import who_may_apply
from tests.builders import a_diagnosis, a_planned_step, a_triage

FIX = (a_planned_step(),)
READ = (a_planned_step(mutates=False, risk=Risk.NONE),)
BLOCKED = (a_planned_step(blocked="only a person can do this"),)
HIGH = (a_planned_step(risk=Risk.HIGH),)
TASK = (a_planned_step(kind="manual", title="Call them", blocked="only a person can do this"),)
LATER = (*READ, a_planned_step(when=StepCondition.RECURS, risk=Risk.HIGH))


def decide(
    severity: Severity,
    steps: tuple[PlannedStep, ...],
    *,
    conclusive: bool = True,
    noise: bool = False,
    automatic: bool = True,
) -> Applier:
    applier, why = who_may_apply(
        a_triage(severity=severity, noise=noise),
        a_diagnosis(conclusive=conclusive),
        steps,
        automatic_repair=automatic,
    )
    assert why
    return applier


@pytest.mark.parametrize(
    ("severity", "steps", "expected"),
    [
        (Severity.SEV1, FIX, Applier.HUMAN),
        (Severity.SEV2, FIX, Applier.HUMAN),
        (Severity.SEV3, FIX, Applier.AUTO),
        (Severity.SEV4, FIX, Applier.AUTO),
        (Severity.SEV3, HIGH, Applier.HUMAN),
        (Severity.SEV4, HIGH, Applier.HUMAN),
        (Severity.SEV1, READ, Applier.AUTO),
        (Severity.SEV1, LATER, Applier.AUTO),
        (Severity.SEV1, BLOCKED, Applier.NOBODY),
        (Severity.SEV3, BLOCKED, Applier.NOBODY),
        (Severity.SEV4, BLOCKED, Applier.UNNEEDED),
        (Severity.SEV3, (), Applier.NOBODY),
    ],
)
def test_the_severity_and_the_steps_decide(
    severity: Severity, steps: tuple[PlannedStep, ...], expected: Applier
) -> None:
    assert decide(severity, steps) is expected


@pytest.mark.parametrize("severity", [Severity.SEV1, Severity.SEV2, Severity.SEV3])
def test_without_evidence_nothing_is_applied(severity: Severity) -> None:
    assert decide(severity, FIX, conclusive=False) is Applier.NOBODY
    assert decide(severity, READ, conclusive=False) is Applier.NOBODY


def test_the_switch_turns_automatic_repair_into_a_question() -> None:
    assert decide(Severity.SEV3, FIX, automatic=False) is Applier.HUMAN


def test_noise_needs_no_evidence() -> None:
    assert decide(Severity.SEV4, READ, conclusive=False, noise=True) is Applier.AUTO


@pytest.mark.parametrize(
    ("severity", "steps", "expected"),
    [
        (Severity.SEV1, (*FIX, *TASK), Applier.HUMAN),
        (Severity.SEV3, (*READ, *FIX, *TASK), Applier.AUTO),
        (Severity.SEV3, (*TASK, *FIX), Applier.NOBODY),
        (Severity.SEV3, (*FIX, *TASK, *FIX), Applier.NOBODY),
        (Severity.SEV3, (*READ, *TASK), Applier.NOBODY),
        (Severity.SEV3, (*BLOCKED, *TASK), Applier.NOBODY),
        (Severity.SEV4, TASK, Applier.UNNEEDED),
    ],
)
def test_tasks_for_people_come_after_what_the_squad_changes(
    severity: Severity, steps: tuple[PlannedStep, ...], expected: Applier
) -> None:
    assert decide(severity, steps) is expected
