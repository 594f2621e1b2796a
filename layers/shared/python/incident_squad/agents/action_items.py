"""What an incident leaves to do."""

from incident_squad.domain.evidence import Diagnosis
from incident_squad.domain.plan import StepStatus
from incident_squad.domain.record import IncidentRecord
from incident_squad.domain.triage import Triage
from incident_squad.domain.values import IncidentType


def action_items(record: IncidentRecord) -> tuple[str, ...]:
    """What is left to do: open steps first, then open questions; never empty."""
    items = [*_open_steps(record), *_open_questions(record.diagnosis, record.incident.triage)]
    return tuple(dict.fromkeys(items)) or ("Go through the post-mortem draft with the owning team",)


def _open_steps(record: IncidentRecord) -> list[str]:
    bad = {StepStatus.FAILED, StepStatus.UNDO_FAILED, StepStatus.APPLYING}
    items = []
    for place, step in enumerate(record.plan.steps if record.plan else ()):
        status = record.step_status(place)
        if status in bad:
            items.append(f"Look at the step that ended as {status.value}: {step.title}")
        elif step.blocked:
            items.append(f"Do by hand or make it possible: {step.title} ({step.blocked})")
        elif status is StepStatus.CONDITIONAL:
            items.append(f"Prevent a repetition: {step.title}")
    return items


def _open_questions(diagnosis: Diagnosis | None, triage: Triage | None) -> list[str]:
    if triage is not None and (triage.noise or triage.impact.noise):
        return ["Tune the monitoring so that this signal does not open an incident again"]
    items = []
    if diagnosis is None or not diagnosis.conclusive:
        items.append("Find the root cause: the evidence was not conclusive")
    if diagnosis is not None and diagnosis.not_seen:
        items.append(f"Make visible what could not be seen: {', '.join(diagnosis.not_seen[:5])}")
    if triage is not None and triage.type is IncidentType.SECURITY:
        items.append("Establish from the audit logs whether data was accessed; if so, notify")
    return items
