"""Which public texts wait for a human, and which ones customers may read."""

import hashlib
import json
from collections.abc import Sequence

from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.incident import Incident
from incident_squad.domain.update import StatusUpdate
from incident_squad.policy.notification import concerns_customers

_ID_LENGTH = 16


def must_wait(incident: Incident, catalog: Catalog) -> bool:
    """Whether a human decides about public texts of this incident before customers read them."""
    severity = incident.severity or (incident.triage.severity if incident.triage else None)
    asked = severity in catalog.policies.approve_public_texts
    return asked and concerns_customers(incident.triage, catalog)


def request_id(incident_id: str, update: StatusUpdate) -> str:
    """The id of the request about an update: the same, however often it is made."""
    return fingerprint(incident_id, update)[:_ID_LENGTH]


def fingerprint(incident_id: str, update: StatusUpdate) -> str:
    """A hash of everything that customers would read: another text has another one."""
    public = update.model_dump(
        mode="json", include={"state", "at", "kind", "public_name", "external", "next_due_at"}
    )
    text = json.dumps([incident_id, public], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def request_of(update: StatusUpdate, requests: Sequence[Approval]) -> Approval | None:
    """The request about an update, or None when there is none."""
    return next((known for known in requests if known.id == update.approval_id), None)


def is_public(incident_id: str, update: StatusUpdate, requests: Sequence[Approval]) -> bool:
    """Whether customers may read it: published, and approved just as it stands where it must be.

    An approval counts once it is on the timeline, which `sent` says.
    """
    if not update.published or not update.approval_id:
        return update.published
    asked = request_of(update, requests)
    return (
        asked is not None
        and asked.status is ApprovalStatus.APPROVED
        and asked.sent
        and asked.plan_hash == fingerprint(incident_id, update)
    )
