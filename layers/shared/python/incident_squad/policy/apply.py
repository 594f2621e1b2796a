"""Who may apply a fix: laws 1 and 9 in one place."""

from incident_squad.domain.evidence import Diagnosis
from incident_squad.domain.plan import Applier, PlannedStep
from incident_squad.domain.runbook import StepCondition
from incident_squad.domain.triage import Triage
from incident_squad.domain.values import Risk, Severity


def who_may_apply(
    triage: Triage,
    diagnosis: Diagnosis,
    steps: tuple[PlannedStep, ...],
    *,
    automatic_repair: bool,
    stopped: str | None = None,
) -> tuple[Applier, tuple[str, ...]]:
    """Decide who may apply these steps, and say why; `stopped` is what the breaker says.

    A fix is only ever applied on observed evidence and when the squad can run every step of it that
    is not a task for people; such tasks come after what it changes, or it changes nothing.
    SEV1 and SEV2 wait for a human; SEV3 and SEV4 do not, unless a step is high-risk.
    """
    now = [step for step in steps if step.when is StepCondition.ALWAYS]
    to_run = [step for step in now if not step.by_people]
    obstacles = (*_obstacles(triage, diagnosis, to_run), *_left_to_people(now))
    if obstacles:
        return _not_applicable(triage, obstacles)
    if not any(step.mutates for step in to_run):
        return Applier.AUTO, ("no step changes anything",)
    reasons = _human_reasons(triage, to_run, automatic_repair=automatic_repair, stopped=stopped)
    if reasons:
        return Applier.HUMAN, reasons
    return Applier.AUTO, (f"{triage.severity.value} and no high-risk step: applied by itself",)


def _obstacles(triage: Triage, diagnosis: Diagnosis, steps: list[PlannedStep]) -> tuple[str, ...]:
    obstacles = [f"step '{step.title}': {step.blocked}" for step in steps if step.blocked]
    if not steps:
        obstacles.append("the plan has no step to run")
    if not diagnosis.conclusive and not triage.noise:
        obstacles.append("the diagnosis is inconclusive: nothing is applied without evidence")
    return tuple(obstacles)


def _left_to_people(steps: list[PlannedStep]) -> tuple[str, ...]:
    """Why tasks for people stand in the way of the squad's own steps; empty when they do not."""
    tasks = [place for place, step in enumerate(steps) if step.by_people]
    changes = [place for place, step in enumerate(steps) if step.mutates and not step.by_people]
    if tasks and not changes:
        return tuple(f"step '{steps[place].title}': only a person can do this" for place in tasks)
    return tuple(
        f"step '{steps[place].title}' comes after '{steps[tasks[0]].title}', which only a person "
        "can do"
        for place in changes
        if tasks and place > tasks[0]
    )


def _not_applicable(triage: Triage, obstacles: tuple[str, ...]) -> tuple[Applier, tuple[str, ...]]:
    if triage.severity is Severity.SEV4:
        return Applier.UNNEEDED, (*obstacles, "SEV4 is logged and resolved without a repair")
    return Applier.NOBODY, obstacles


def _human_reasons(
    triage: Triage, steps: list[PlannedStep], *, automatic_repair: bool, stopped: str | None
) -> tuple[str, ...]:
    reasons = []
    if triage.severity in {Severity.SEV1, Severity.SEV2}:
        reasons.append(f"{triage.severity.value} waits for a human's approval")
    reasons += [f"step '{step.title}' is high-risk" for step in steps if step.risk is Risk.HIGH]
    if not automatic_repair:
        reasons.append("automatic repair is switched off")
    if stopped is not None:
        reasons.append(f"the circuit breaker is open: {stopped}")
    return tuple(reasons)
