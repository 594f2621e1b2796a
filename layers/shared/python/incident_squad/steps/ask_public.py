"""AskPublic: ask people whether customers may read a text, each by a link of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.errors import ApprovalRefused
from incident_squad.domain.incident import Incident
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.update import StatusUpdate
from incident_squad.domain.values import iso
from incident_squad.policy.clearance import fingerprint
from incident_squad.policy.phrases import phrase
from incident_squad.ports import Knowledge, Message, Signer
from incident_squad.steps.approval_links import link_for
from incident_squad.steps.message_facts import details_of
from incident_squad.steps.public_texts import PublicTexts

HELD = "PublicTextHeld"


@dataclass(frozen=True)
class AskPublic:
    """One text waits at a time: a newer one takes the older one's place. Safe to repeat."""

    texts: PublicTexts
    knowledge: Knowledge
    signer: Signer
    public_url: Callable[[], str]

    def __call__(self, incident: Incident, update: StatusUpdate) -> None:
        """Ask about the very text of this update, while nobody has decided about it."""
        self.texts.withdraw(incident.id, but=update.approval_id)
        known = self.texts.requests.get(incident.id, update.approval_id)
        request = known or self._new(incident, update)
        if request.status is ApprovalStatus.PENDING:
            for approver in request.approvers:
                self.texts.notifier.send(self._message(incident, update, request, approver))

    def _new(self, incident: Incident, update: StatusUpdate) -> Approval:
        catalog, now = self.knowledge.catalog, self.texts.clock.now()
        limit = now + timedelta(minutes=catalog.policies.public_text_expires_minutes)
        request = Approval(
            id=update.approval_id,
            incident_id=incident.id,
            plan_hash=fingerprint(incident.id, update),
            approvers=tuple(p.email for p in catalog.public_approvers(incident.service)),
            created_at=now,
            # The text names the next update's time: approved after it, it would be untrue.
            expires_at=min(limit, update.next_due_at or limit),
        )
        self._record(request, update)
        try:
            self.texts.requests.put(request, "")
        except ApprovalRefused:  # another try of the same publication was first
            return self.texts.requests.get(incident.id, request.id) or request
        return request

    def _record(self, request: Approval, update: StatusUpdate) -> None:
        self.texts.timeline.append_once(
            request.incident_id,
            Entry(
                event=HELD,
                summary=f"The public text '{update.state.value}' waits for "
                f"{', '.join(request.approvers)}, until {request.expires_at:%H:%M} UTC",
                actor=Actor.system("approvals"),
                data={"approval": request.id, "textHash": request.plan_hash},
            ),
            lambda event: event.event == HELD and event.data.get("approval") == request.id,
        )

    def _message(
        self, incident: Incident, update: StatusUpdate, request: Approval, approver: str
    ) -> Message:
        own = link_for(approver, request, self.signer, "public")
        address = f"{self.public_url().rstrip('/')}/publications/{own}"
        severity = incident.severity.value if incident.severity else "?"
        language = self.knowledge.catalog.policies.language_of("colleagues")
        return Message(
            id=f"{request.id}:{approver}",
            incident_id=incident.id,
            kind="approval",
            recipients=(approver,),
            subject=phrase(
                "may_read",
                language,
                severity=severity,
                incident=incident.id,
                state=update.state.value,
            ),
            body=phrase(
                "text",
                language,
                text=update.external,
                address=address,
                until=iso(request.expires_at),
            ),
            urgent=True,
            link=address,
            details=details_of(incident, None),
        )
