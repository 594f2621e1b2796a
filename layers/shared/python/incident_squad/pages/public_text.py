"""The page on which a human decides whether customers may read a text."""

from datetime import datetime

from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.incident import Incident
from incident_squad.domain.update import StatusUpdate
from incident_squad.pages.render import page
from incident_squad.pages.web import Answer


def public_text_page(
    request: Approval,
    incident: Incident,
    update: StatusUpdate,
    current: StatusUpdate | None,
    *,
    approver: str,
    now: datetime,
) -> Answer:
    """The text as customers would read it, and the form while there is something to decide."""
    left = max(0, int((request.expires_at - now).total_seconds() // 60))
    over = request.status is ApprovalStatus.PENDING and request.expires_at <= now
    content = {
        "request": request,
        "incident": incident,
        "update": update,
        "current": current,
        "approver": approver,
        "minutes_left": f"{left} minute{'' if left == 1 else 's'}",
        "outcome": ApprovalStatus.EXPIRED.value if over else request.status.value,
    }
    return page("public_text", content)
