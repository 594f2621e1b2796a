"""Approval links: what a link says and whether its signature holds.

A link is plain text with a signature, so that a forged one still tells which incident it aims at
and the attempt can be noted there. The plan's hash is signed but not shown.
"""

import base64
import binascii
import re
from typing import Literal

from pydantic import ValidationError

from incident_squad.domain.approval import Approval, ApprovalLink, ApprovalStatus, Decision
from incident_squad.domain.errors import ApprovalRefused
from incident_squad.domain.values import Value
from incident_squad.ports import Approvals, Signer

_LINK = re.compile(
    r"(?P<incident>INC-\d{8}-[0-9A-Z]{5,8})~(?P<approval>[a-z0-9]{8,32})"
    r"~(?P<approver>[A-Za-z0-9_-]{4,400})~(?P<expires>\d{9,12})~(?P<mac>[A-Za-z0-9_-]{10,200})"
)
_AIM = re.compile(r"(?P<incident>INC-\d{8}-[0-9A-Z]{5,8})~(?P<approval>[a-z0-9]{8,32})~")

_UNASKED = {
    "plan": "nobody asked for this approval",
    "public": "nobody asked about such a text",
}
STATUS_OF = {
    Decision.APPROVED: ApprovalStatus.APPROVED,
    Decision.REJECTED: ApprovalStatus.REJECTED,
}
"""What a request becomes by what a person decides."""


class ReadLink(Value):
    """The parts of a link as they stand in it; nothing of it is believed before `genuine`."""

    incident_id: str
    approval_id: str
    approver: str
    expires: int
    mac: bytes


def write_link(link: ApprovalLink, signer: Signer) -> str:
    """The last part of the address that an approver is sent."""
    mac = signer.sign(link.message())
    approver = _encode(link.approver.encode())
    return "~".join((link.incident_id, link.approval_id, approver, str(link.expires), _encode(mac)))


def read_link(text: str) -> ReadLink | None:
    """Take a link apart; None when it is not shaped like one."""
    found = _LINK.fullmatch(text)
    if found is None:
        return None
    try:
        return ReadLink(
            incident_id=found["incident"],
            approval_id=found["approval"],
            approver=_decode(found["approver"]).decode(),
            expires=int(found["expires"]),
            mac=_decode(found["mac"]),
        )
    except (binascii.Error, UnicodeDecodeError, ValidationError):
        return None


def link_for(
    approver: str, approval: Approval, signer: Signer, about: Literal["plan", "public"] = "plan"
) -> str:
    """The last part of the address of this approver's own link."""
    return write_link(
        ApprovalLink(
            incident_id=approval.incident_id,
            approval_id=approval.id,
            approver=approver,
            plan_hash=approval.plan_hash,
            expires=int(approval.expires_at.timestamp()),
            about=about,
        ),
        signer,
    )


def request_of(
    link: str, requests: Approvals, signer: Signer, about: Literal["plan", "public"] = "plan"
) -> tuple[ReadLink, Approval]:
    """What a link says, and the request that it was made for; raises ApprovalRefused."""
    read = read_link(link)
    if read is None:
        raise ApprovalRefused("the link is not one of ours", forged=True)
    request = requests.get(read.incident_id, read.approval_id)
    if request is None:
        raise ApprovalRefused(_UNASKED[about])
    if not genuine(read, request, signer, about):
        raise ApprovalRefused("the signature does not fit the link", forged=True)
    return read, request


def aim_of(text: str) -> tuple[str, str] | None:
    """The incident and approval that even a broken link aims at, to note the attempt there."""
    found = _AIM.match(text)
    return (found["incident"], found["approval"]) if found else None


def genuine(
    read: ReadLink, approval: Approval, signer: Signer, about: Literal["plan", "public"] = "plan"
) -> bool:
    """Whether this very link was made for this approval and this plan or text."""
    link = ApprovalLink(
        incident_id=read.incident_id,
        approval_id=read.approval_id,
        approver=read.approver,
        plan_hash=approval.plan_hash,
        expires=read.expires,
        about=about,
    )
    return read.approver in approval.approvers and signer.verify(link.message(), read.mac)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    # A changed last character must not decode to the same bytes, or two links would be one.
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _encode(data) != text:
        raise binascii.Error
    return data
