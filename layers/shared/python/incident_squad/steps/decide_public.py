"""DecidePublic: show an approver the text that customers would read, and take the decision."""

from dataclasses import dataclass

from incident_squad.domain.approval import Approval, ApprovalStatus, Decision
from incident_squad.domain.errors import ApprovalRefused
from incident_squad.domain.incident import Incident
from incident_squad.domain.update import StatusUpdate
from incident_squad.domain.values import Value
from incident_squad.policy.clearance import fingerprint, is_public
from incident_squad.ports import Signer
from incident_squad.steps.approval_links import STATUS_OF, request_of
from incident_squad.steps.public_texts import PublicTexts
from incident_squad.steps.refusals import Refusals


class PublicView(Value):
    """What the page shows: the text in question, and what customers read until then.

    `request` may be decided or over by now: then there is nothing left to decide.
    """

    request: Approval
    incident: Incident
    update: StatusUpdate
    current: StatusUpdate | None
    approver: str


@dataclass(frozen=True)
class DecidePublic:
    """The signed link itself is the permission: it decides once, about this very text."""

    texts: PublicTexts
    signer: Signer
    refusals: Refusals

    def view(self, link: str) -> PublicView | None:
        """What the link is about, or None for one that is not ours. Decides nothing."""
        try:
            return self._read(link)
        except ApprovalRefused as refusal:
            if refusal.forged:
                self.refusals.note(link, refusal)
            return None

    def decide(self, link: str, decision: Decision, comment: str = "") -> PublicView:
        """Take the decision and act on it; raises ApprovalRefused, and notes it."""
        try:
            view = self._read(link)
            self._admit(view)
            request, _ = self.texts.requests.decide(
                view.request,
                STATUS_OF[decision],
                view.approver,
                self.texts.clock.now(),
                comment.strip()[:2000],
            )
        except ApprovalRefused as refusal:
            self.refusals.note(link, refusal)
            raise
        self.texts.settle(request.incident_id)
        return view.model_copy(update={"request": request})

    def _read(self, link: str) -> PublicView:
        read, request = request_of(link, self.texts.requests, self.signer, "public")
        updates = self.texts.incidents.updates(read.incident_id)
        update = next((u for u in updates if u.approval_id == request.id), None)
        if update is None:
            raise ApprovalRefused("the text is not there any more")
        requests = self.texts.requests.of_incident(read.incident_id)
        shown = (u for u in reversed(updates) if is_public(read.incident_id, u, requests))
        return PublicView(
            request=request,
            incident=self.texts.incidents.get(read.incident_id),
            update=update,
            current=next(shown, None),
            approver=read.approver,
        )

    def _admit(self, view: PublicView) -> None:
        request, incident_id = view.request, view.incident.id
        if request.status is not ApprovalStatus.PENDING:
            raise ApprovalRefused(f"it was decided before: {request.status.value}")
        if request.expires_at <= self.texts.clock.now():
            raise ApprovalRefused("the link has expired")
        if fingerprint(incident_id, view.update) != request.plan_hash:
            self.texts.withdraw(incident_id)
            raise ApprovalRefused("the text has changed since the link was made")
