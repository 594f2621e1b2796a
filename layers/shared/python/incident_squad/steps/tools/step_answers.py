"""What the tool execute_runbook answers."""

from collections.abc import Sequence
from typing import Any

from incident_squad.domain.incident import Incident
from incident_squad.domain.plan import PlannedStep, StepRecord
from incident_squad.domain.runbook import Runbook, Step
from incident_squad.domain.values import Environment, Severity
from incident_squad.steps.tools.inputs import ExecuteRunbookInput

_ASKS = "SEV1 and SEV2 wait for a human's approval of the incident's plan; high-risk steps always"
_NOTHING_DONE = "This is a dry run: nothing was changed."


def previewed(
    step: Step,
    planned: PlannedStep,
    request: ExecuteRunbookInput,
    incident: Incident | None,
    service: str | None,
) -> dict[str, Any]:
    """A dry run that looked at the target, or says why it could not."""
    return {
        **_head(request, planned.runbook_id),
        "incidentId": incident.id if incident else None,
        "service": service,
        "target": planned.target,
        **_what(step),
        "parameters": dict(planned.parameters),
        "preview": [dict(row) for row in planned.preview],
        "blocked": planned.blocked,
        "approval": _approval(step, request, incident),
        "message": _message(step, planned),
    }


def unaimed(
    runbook: Runbook, request: ExecuteRunbookInput, choices: Sequence[str]
) -> dict[str, Any]:
    """A dry run without a target: what the step is, and what to say to see more."""
    step = runbook.steps[request.step_index]
    services = ", ".join(choices) or f"no service in {request.target_environment.value} has one"
    return {
        **_head(request, runbook.name),
        "incidentId": None,
        "service": None,
        "target": None,
        **_what(step),
        "parameters": {},
        "preview": [],
        "blocked": f"it needs a target: name an incidentId or a service ({services})",
        "approval": _approval(step, request, None),
        "message": _NOTHING_DONE,
    }


def became(
    request: ExecuteRunbookInput,
    incident: Incident,
    planned: PlannedStep,
    record: StepRecord | None,
) -> dict[str, Any]:
    """What became of a step that may run; the workflow runs it."""
    over = record is not None and record.finished_at is not None
    return {
        **_head(request, planned.runbook_id),
        "incidentId": incident.id,
        "title": planned.title,
        "command": planned.command,
        "target": planned.target,
        "status": record.status.value if record else "waiting",
        "actedOn": [dict(row) for row in record.acted_on] if record else [],
        "detail": record.detail if record else "",
        "message": "The workflow has run it, under the stored approval where one is needed."
        if over
        else "It may run, and the workflow runs the plan in order: ask again in a moment.",
    }


def _head(request: ExecuteRunbookInput, runbook: str) -> dict[str, Any]:
    return {
        "dryRun": request.dry_run,
        "runbookId": runbook,
        "stepIndex": request.step_index,
        "targetEnvironment": request.target_environment.value,
    }


def _what(step: Step) -> dict[str, Any]:
    return {
        "title": step.title,
        "command": step.command,
        "kind": step.kind,
        "mutates": step.mutates,
        "risk": step.risk.value,
        "when": step.when.value,
        "before": step.precheck.title if step.precheck else None,
        "after": step.verify.title if step.verify else None,
        "undo": step.undo.title if step.undo else None,
    }


def _approval(step: Step, request: ExecuteRunbookInput, incident: Incident | None) -> str:
    if request.target_environment is not Environment.PRODUCTION:
        return "not in production: needed for high-risk steps"
    if incident is None or incident.severity is None:
        return _ASKS
    if incident.severity in {Severity.SEV1, Severity.SEV2}:
        return f"needed: the incident is {incident.severity.value}"
    risky = step.risk.value == "high"
    return "needed: the step is high-risk" if risky else f"not needed: {incident.severity.value}"


def _message(step: Step, planned: PlannedStep) -> str:
    if planned.blocked:
        return f"{_NOTHING_DONE} It could not be previewed: {planned.blocked}."
    if not step.mutates:
        return f"{_NOTHING_DONE} The step itself only looks."
    return f"{_NOTHING_DONE} It would act on {len(planned.preview)} as listed in 'preview'."
