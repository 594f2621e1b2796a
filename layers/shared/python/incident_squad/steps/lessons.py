"""What an incident teaches: what its record shows to have worked, and what not."""

import itertools

from incident_squad.domain.approval import ApprovalStatus
from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.plan import StepStatus
from incident_squad.domain.record import IncidentRecord
from incident_squad.domain.update import PROMISE_BROKEN, StatusUpdate, UpdateState
from incident_squad.steps.markdown import md
from incident_squad.steps.report import clocks

TRIAGE_SECONDS, DIAGNOSIS_SECONDS, APPROVAL_SECONDS = 5, 60, 600
"""What the squad promises, and what an approval may take before it is called slow."""

_BAD = {StepStatus.FAILED, StepStatus.UNDO_FAILED}


def went_well(record: IncidentRecord) -> list[str]:
    """What the record shows to have worked."""
    seconds, items = clocks(record), []
    if seconds.get("triaged", TRIAGE_SECONDS) < TRIAGE_SECONDS:
        items.append(f"Triaged {seconds['triaged']:g} seconds after the alert.")
    if seconds.get("diagnosed", DIAGNOSIS_SECONDS) < DIAGNOSIS_SECONDS:
        items.append(f"A diagnosis after {seconds['diagnosed']:g} seconds.")
    if record.diagnosis and record.diagnosis.conclusive:
        items.append("The root cause rests on observed evidence.")
    if seconds.get("approved", APPROVAL_SECONDS) < APPROVAL_SECONDS:
        items.append(f"Approved {seconds['approved']:g} seconds after the alert.")
    done = [s for s in record.steps if s.status is StepStatus.APPLIED]
    if done and not any(s.status in _BAD for s in record.steps):
        items.append(f"Steps applied and verified: {len(done)}; none failed.")
    kept = len(_promises(record))
    if kept and not _late(record) and not record.event_at(PROMISE_BROKEN):
        items.append(f"Every promised status update came in time ({kept}).")
    return items


def went_badly(record: IncidentRecord) -> list[str]:
    """What the record shows to have failed or been missing."""
    items = []
    if record.diagnosis and not record.diagnosis.conclusive:
        items.append("The evidence did not prove a root cause.")
    if record.diagnosis and record.diagnosis.not_seen:
        names = [name.partition(" (")[0] for name in record.diagnosis.not_seen]
        items.append(f"Could not be seen: {md('; '.join(names))}")
    if any(a.status is ApprovalStatus.EXPIRED for a in record.approvals):
        items.append("Nobody decided about the plan in time.")
    if any(a.status is ApprovalStatus.REJECTED for a in record.approvals):
        items.append("The proposed plan was rejected.")
    items += [
        f"A step ended as {s.status.value}: {md(s.detail)}"
        for s in record.steps
        if s.status in _BAD
    ]
    if record.incident.status is IncidentStatus.HANDED_OVER or record.event_at("HandedOver"):
        items.append(
            f"Handed over to a human: {md(record.incident.hand_over_reason or 'see below')}"
        )
    items += [f"The promised update after {state.value} was late." for state in _late(record)]
    if any(r.status is ApprovalStatus.EXPIRED for r in record.public_texts):
        items.append("Nobody decided in time about a text for customers: it did not go out.")
    if any("leak gate" in update.fallback_reason for update in record.updates):
        items.append("The leak gate stopped a public text; the bare template went out instead.")
    return items


def _promises(record: IncidentRecord) -> list[tuple[StatusUpdate, StatusUpdate]]:
    """Updates that promised the next one, with that next one; an open promise is not broken."""
    published = [update for update in record.updates if update.published]
    pairs = itertools.pairwise(published)
    return [(before, after) for before, after in pairs if before.next_due_at]


def _late(record: IncidentRecord) -> list[UpdateState]:
    """States whose promised next update came late."""
    return [
        before.state
        for before, after in _promises(record)
        if before.next_due_at and after.at > before.next_due_at
    ]
