"""What an incident's page says first: what is known at this moment, and what is being said."""

from datetime import datetime

from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.record import IncidentRecord
from incident_squad.domain.update import StatusUpdate
from incident_squad.policy.clearance import is_public, request_of

DRAFT_WRITTEN = "DraftWritten"
"""The event of a draft that a model is writing; its page shows the newest one only."""

_ENDS_A_DRAFT = frozenset({"UpdateDrafted", "UpdatePublished", "DraftWithdrawn"})
_STANDINGS = {
    ApprovalStatus.PENDING: "waits for approval",
    ApprovalStatus.APPROVED: "public",
    ApprovalStatus.REJECTED: "rejected",
    ApprovalStatus.EXPIRED: "expired",
    ApprovalStatus.VOID: "replaced",
}


def glance(record: IncidentRecord) -> dict[str, object]:
    """Cause, what customers read, and since when: one line each."""
    found, alert = record.diagnosis, record.alert
    since = (alert.started_at if alert else None) or record.incident.opened_at
    return {
        "cause": found.root_cause if found else "not known yet",
        "public": _public(record),
        "since": since,
        "lasted": _lasted(since, record.incident.resolved_at),
    }


def being_written(record: IncidentRecord) -> dict[str, object] | None:
    """The newest draft while a model writes, or None."""
    for event in reversed(record.events):
        if event.event in _ENDS_A_DRAFT:
            return None
        if event.event == DRAFT_WRITTEN:
            text = str(event.data.get("external") or event.data.get("internal") or "")
            text = text.partition("\n\n")[2] or text  # the heading is the page's own
            return {
                "state": event.data.get("state", ""),
                "number": event.data.get("number", 1),
                "text": [line for line in text.split("\n") if line.strip()],
            }
    return None


def standing_of(record: IncidentRecord, update: StatusUpdate) -> str:
    """What became of an update's public text; empty when it went out without a question."""
    if not update.published:
        return "draft"
    asked = request_of(update, record.public_texts) if update.approval_id else None
    return _STANDINGS[asked.status] if asked else ""


def waiting_text(record: IncidentRecord) -> Approval | None:
    """The request about a public text that nobody has decided about."""
    waiting = (r for r in record.public_texts if r.status is ApprovalStatus.PENDING)
    return next(waiting, None)


def _public(record: IncidentRecord) -> str:
    requests, incident_id = record.public_texts, record.incident.id
    shown = (u for u in reversed(record.updates) if is_public(incident_id, u, requests))
    last = next(shown, None)
    if last is None:
        return "nothing published yet"
    due = f", next update by {last.next_due_at:%H:%M} UTC" if last.next_due_at else ""
    return f"{last.state.value}{due}"


def _lasted(since: datetime, until: datetime | None) -> str:
    if until is None:
        return ""
    minutes = max(1, round((until - since).total_seconds() / 60))
    return f", for {minutes} min"
