"""The last look before a step: is it the planned one, and may it run? Laws 1, 2 and 4."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.catalog import Catalog, Policies
from incident_squad.domain.errors import PlanChanged, PolicyViolation
from incident_squad.domain.incident import Incident, IncidentStatus
from incident_squad.domain.plan import Applier, Plan, PlannedStep, StepRecord, StepStatus
from incident_squad.domain.runbook import Runbook, Step
from incident_squad.domain.values import Risk, Severity
from incident_squad.policy.parameters import validate

APPROVAL_GOOD_FOR = timedelta(minutes=60)
"""An older decision was about another situation."""

ENDED = frozenset({StepStatus.APPLIED, StepStatus.SKIPPED})
"""How a step that needs no more work stands."""

_NEEDS_HUMAN = frozenset({Severity.SEV1, Severity.SEV2, None})
_CLOSED = frozenset({IncidentStatus.HANDED_OVER, IncidentStatus.RESOLVED})


def planned_step(incident: Incident, plan: Plan | None, place: int) -> tuple[Plan, PlannedStep]:
    """The step at this place of the incident's plan; raises PlanChanged when there is none."""
    if plan is None or plan.incident_id != incident.id or place not in plan.indexes_to_run():
        raise PlanChanged(f"the stored plan has no step {place + 1} to run")
    return plan, plan.steps[place]


def runbook_step(
    planned: PlannedStep, runbook: Runbook, catalog: Catalog, service: str | None
) -> Step:
    """The runbook's step, if it is still what was planned, down to digest and target.

    Raises PlanChanged, and InvalidParameter for values that the runbook does not allow.
    """
    if planned.runbook_digest != runbook.digest or planned.step_index >= len(runbook.steps):
        raise PlanChanged(f"the runbook '{runbook.name}' has changed since the plan was made")
    step = runbook.steps[planned.step_index]
    if (planned.kind, planned.mutates, planned.risk) != (step.kind, step.mutates, step.risk):
        raise PlanChanged(f"'{planned.title}' is not the runbook's step any more")
    role = getattr(step.action, "target", None)
    if planned.target != (catalog.target_of(service, role) if role else None):
        raise PlanChanged(f"the catalogue gives '{planned.title}' another target by now")
    validate(step, planned.parameters)
    return step


def require_turn(plan: Plan, place: int, records: Sequence[StepRecord]) -> None:
    """Raise PolicyViolation unless every step before this one has been done."""
    ended = {
        record.place
        for record in records
        if record.plan_hash == plan.hash and record.status in ENDED
    }
    waiting = [before for before in plan.indexes_to_run() if before < place and before not in ended]
    if waiting:
        raise PolicyViolation(f"step {waiting[0] + 1} comes first and has not been done")


def require_permission(
    incident: Incident,
    plan: Plan,
    step: Step,
    *,
    approvals: Sequence[Approval],
    policies: Policies,
    now: datetime,
) -> None:
    """Raise PolicyViolation unless this step may run now."""
    if incident.status in _CLOSED:
        raise PolicyViolation(f"the incident is {incident.status.value.replace('_', ' ')}")
    if plan.applier not in {Applier.HUMAN, Applier.AUTO}:
        raise PolicyViolation(f"the plan is applied by {plan.applier.value}")
    blocked = [one.title for one in plan.to_run() if one.blocked]
    if blocked:
        raise PolicyViolation(f"the squad cannot run '{blocked[0]}', so it runs none of the plan")
    if _needs_human(incident, plan, step):
        _require_approval(plan, approvals, now)
    elif not policies.automatic_repair:
        raise PolicyViolation("automatic repair is switched off")


def _needs_human(incident: Incident, plan: Plan, step: Step) -> bool:
    if plan.applier is Applier.HUMAN:
        return True
    return step.mutates and (incident.severity in _NEEDS_HUMAN or step.risk is Risk.HIGH)


def _require_approval(plan: Plan, approvals: Sequence[Approval], now: datetime) -> None:
    fitting = [
        approval
        for approval in approvals
        if approval.status is ApprovalStatus.APPROVED
        and approval.incident_id == plan.incident_id
        and approval.plan_hash == plan.hash
        and approval.decided_by in approval.approvers
    ]
    if not fitting:
        raise PolicyViolation("nobody who may has approved this very plan")
    if not any(_fresh(approval.decided_at, now) for approval in fitting):
        raise PolicyViolation("the approval is older than an hour")


def _fresh(decided_at: datetime | None, now: datetime) -> bool:
    return decided_at is not None and timedelta() <= now - decided_at <= APPROVAL_GOOD_FOR
