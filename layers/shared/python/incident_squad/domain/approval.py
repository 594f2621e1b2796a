"""Approvals: a human's decision about one exact plan."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from incident_squad.domain.values import Moment, Value

_VERSIONS = {"plan": "v1", "public": "public1"}


class ApprovalStatus(StrEnum):
    """Where an approval stands; everything but `pending` is final."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    VOID = "void"


class Decision(StrEnum):
    """What the workflow is told. Only the first two are a human's.

    `void` means that the plan no longer stands, `recovered` that the trouble ended by itself.
    """

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    VOID = "void"
    RECOVERED = "recovered"


class Approval(Value):
    """One request for approval. The task token is stored beside it and never in this value.

    `plan_hash` is the hash of what is decided about: a plan, or a text that customers would read.
    `sent` is true once the decision was acted on, so that a crash between the two is repaired.
    """

    id: str = Field(pattern=r"^[a-z0-9]{8,32}$")
    incident_id: str
    plan_hash: str
    approvers: tuple[str, ...] = Field(min_length=1)
    created_at: Moment
    expires_at: Moment
    status: ApprovalStatus = ApprovalStatus.PENDING
    decided_by: str | None = None
    decided_at: Moment | None = None
    comment: str = Field(default="", max_length=2000)
    sent: bool = False


class ApprovalLink(Value):
    """What a link carries besides its signature; `expires` is in seconds since the epoch.

    `about` is what the link decides about: one for a text never counts for a plan.
    """

    incident_id: str
    approval_id: str
    approver: str
    plan_hash: str
    expires: int
    about: Literal["plan", "public"] = "plan"

    def message(self) -> bytes:
        """The bytes that are signed; a field cannot spill into the next: none holds a newline."""
        parts = (
            _VERSIONS[self.about],
            self.incident_id,
            self.approval_id,
            self.approver,
            self.plan_hash,
        )
        return "\n".join((*parts, str(self.expires))).encode()
