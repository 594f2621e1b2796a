"""PublicTexts: what becomes of texts that customers read only once a human has approved them."""

from dataclasses import dataclass

from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.errors import ApprovalRefused
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.update import StatusUpdate
from incident_squad.policy.clearance import fingerprint
from incident_squad.policy.notification import CHANNEL
from incident_squad.ports import Approvals, Clock, IncidentStore, Message, Notifier, Timeline
from incident_squad.steps.message_facts import details_of, update_details

_EVENTS = {
    ApprovalStatus.APPROVED: "PublicTextApproved",
    ApprovalStatus.REJECTED: "PublicTextRejected",
    ApprovalStatus.EXPIRED: "PublicTextExpired",
    ApprovalStatus.VOID: "PublicTextWithdrawn",
}
_NOTHING_NEW = "Customers read nothing new. The incident goes on as before."
_WAY_OUT = "The next promised update asks again; `squad correct` asks at once."


@dataclass(frozen=True)
class PublicTexts:
    """Acts on decisions, and ends requests that nobody decided. Safe to repeat at any point."""

    incidents: IncidentStore
    requests: Approvals
    timeline: Timeline
    notifier: Notifier
    clock: Clock

    def settle(self, incident_id: str) -> None:
        """End what is over, then tell of every decision, the oldest first: audit, message, mark."""
        now = self.clock.now()
        for request in self._waiting(incident_id):
            if request.expires_at <= now:
                self._end(request, ApprovalStatus.EXPIRED)
        for request in self.requests.of_incident(incident_id):
            if request.status is not ApprovalStatus.PENDING and not request.sent:
                self._tell(request)

    def withdraw(self, incident_id: str, but: str = "") -> None:
        """End what still waits: a newer text takes its place, or it is not what was asked about."""
        self.settle(incident_id)
        for request in self._waiting(incident_id):
            if request.id != but:
                self._end(request, ApprovalStatus.VOID)
        self.settle(incident_id)

    def _waiting(self, incident_id: str) -> list[Approval]:
        requests = self.requests.of_incident(incident_id)
        return [known for known in requests if known.status is ApprovalStatus.PENDING]

    def _end(self, request: Approval, status: ApprovalStatus) -> None:
        try:
            self.requests.decide(request, status, None, self.clock.now(), "")
        except ApprovalRefused:
            return  # decided in this very moment: that decision counts

    def _tell(self, request: Approval) -> None:
        updates = self.incidents.updates(request.incident_id)
        update = next((u for u in updates if u.approval_id == request.id), None)
        if update is None or fingerprint(request.incident_id, update) != request.plan_hash:
            return  # not what was decided about: it stays unsaid, whatever the decision was
        self._record(request, update)
        if request.status is not ApprovalStatus.VOID:
            self.notifier.send(self._message(request, update))
        self.requests.mark_sent(request)

    def _record(self, request: Approval, update: StatusUpdate) -> None:
        name = _EVENTS[request.status]
        human = request.decided_by
        self.timeline.append_once(
            request.incident_id,
            Entry(
                event=name,
                summary=_outcome(request, update)[:2000],
                actor=Actor.human(human) if human else Actor.system("approvals"),
                data={"approval": request.id, "textHash": request.plan_hash},
            ),
            lambda event: event.event == name and event.data.get("approval") == request.id,
        )

    def _message(self, request: Approval, update: StatusUpdate) -> Message:
        incident = self.incidents.get(request.incident_id)
        alerts = self.incidents.alerts(incident.id, 1)
        approved = request.status is ApprovalStatus.APPROVED
        details = details_of(incident, alerts[0] if alerts else None)
        body = update.external if approved else f"{_NOTHING_NEW} {_WAY_OUT}"
        return Message(
            id=f"{incident.id}:public:{request.id}",
            incident_id=incident.id,
            kind="public",
            recipients=(CHANNEL,),
            subject=f"{incident.id}: {_outcome(request, update)}"[:200],
            body=f"Customers now read:\n\n{body}"[:20_000] if approved else body,
            details=details | (update_details(update, public=True) if approved else {}),
        )


def _outcome(request: Approval, update: StatusUpdate) -> str:
    text = f"the public text '{update.state.value}'"
    comment = f": {request.comment}" if request.comment else ""
    match request.status:
        case ApprovalStatus.APPROVED:
            return f"{request.decided_by} approved {text}{comment}"
        case ApprovalStatus.REJECTED:
            return f"{request.decided_by} rejected {text}{comment}"
        case ApprovalStatus.EXPIRED:
            return f"Nobody decided in time about {text}: it did not go out"
    return f"A newer text took the place of {text}"
