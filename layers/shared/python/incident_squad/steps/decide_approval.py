"""DecideApproval: show an approver what a link is about, and take the one decision."""

from dataclasses import dataclass

from incident_squad.domain.approval import Approval, ApprovalStatus, Decision
from incident_squad.domain.errors import ApprovalRefused
from incident_squad.domain.incident import Incident, IncidentStatus
from incident_squad.domain.plan import Plan
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.values import Value
from incident_squad.ports import Approvals, Clock, IncidentStore, Signer, Timeline, Workflow
from incident_squad.steps.approval_links import STATUS_OF, request_of
from incident_squad.steps.refusals import Refusals


class PlanNoLongerStands(ApprovalRefused):
    """The stored plan is not the one that the link was made for."""

    def __init__(self, approval: Approval) -> None:
        super().__init__("the plan has changed since the link was made")
        self.approval = approval


class ApprovalView(Value):
    """What the approval page shows; `approver` is whom the link was made for."""

    approval: Approval
    incident: Incident
    plan: Plan
    approver: str


class Decided(Value):
    """A decision that counted; `delivered` says whether the workflow took it at once."""

    approval: Approval
    incident: Incident
    delivered: bool


@dataclass(frozen=True)
class DecideApproval:
    """The signed link itself is the permission: it decides once, while its plan stands."""

    incidents: IncidentStore
    approvals: Approvals
    timeline: Timeline
    workflow: Workflow
    signer: Signer
    clock: Clock

    def view(self, link: str) -> ApprovalView | None:
        """What the link is about, or None for any link that would not count. Changes nothing.

        A forged link is noted on the timeline of the incident that it aims at.
        """
        try:
            return self._admit(link)
        except ApprovalRefused as refusal:
            if refusal.forged:
                self._refusals.note(link, refusal)
            return None

    def decide(self, link: str, decision: Decision, comment: str = "") -> Decided:
        """Take the decision and tell the workflow; raises ApprovalRefused, and notes it."""
        try:
            view = self._admit(link)
            return self._take(view, decision, comment.strip()[:2000])
        except PlanNoLongerStands as refusal:
            self._refusals.note(link, refusal)
            self.withdraw(refusal.approval, Decision.VOID)
            raise
        except ApprovalRefused as refusal:
            self._refusals.note(link, refusal)
            raise

    def withdraw(self, approval: Approval, reason: Decision) -> bool:
        """End a request that nobody can decide any more, and let the workflow go on at once."""
        try:
            voided, task_token = self.approvals.decide(
                approval, ApprovalStatus.VOID, None, self.clock.now(), ""
            )
        except ApprovalRefused:
            return False  # decided in this very moment: that decision counts
        self.timeline.append(
            approval.incident_id,
            Entry(
                event="ApprovalVoided",
                summary="The trouble ended before anybody decided"
                if reason is Decision.RECOVERED
                else "The plan is no longer the one that approvers were asked about",
                actor=Actor.system("approvals"),
                data={"approval": approval.id},
            ),
        )
        return self.workflow.decide(task_token, reason, voided.id)

    def deliver(self, approval: Approval, task_token: str) -> bool:
        """Write a decided approval to the timeline, then tell the workflow. Safe to repeat."""
        self._record(approval)
        decision = Decision(approval.status.value)
        delivered = self.workflow.decide(task_token, decision, approval.id)
        if delivered:
            self.approvals.mark_sent(approval)
        return delivered

    @property
    def _refusals(self) -> Refusals:
        return Refusals(self.incidents, self.timeline)

    def _admit(self, link: str) -> ApprovalView:
        read, approval = request_of(link, self.approvals, self.signer)
        now = self.clock.now()
        if read.expires <= now.timestamp() or approval.expires_at <= now:
            raise ApprovalRefused("the link has expired")
        if approval.status is not ApprovalStatus.PENDING:
            raise ApprovalRefused(f"it was decided before: {approval.status.value}")
        incident, plan = self.incidents.get(read.incident_id), self.incidents.plan(read.incident_id)
        if plan is None or plan.hash != approval.plan_hash:
            raise PlanNoLongerStands(approval)
        if incident.status is not IncidentStatus.AWAITING_APPROVAL:
            raise ApprovalRefused(f"the incident is {incident.status.value} by now")
        return ApprovalView(approval=approval, incident=incident, plan=plan, approver=read.approver)

    def _take(self, view: ApprovalView, decision: Decision, comment: str) -> Decided:
        decided, token = self.approvals.decide(
            view.approval, STATUS_OF[decision], view.approver, self.clock.now(), comment
        )
        delivered = self.deliver(decided, token)
        return Decided(approval=decided, incident=view.incident, delivered=delivered)

    def _record(self, approval: Approval) -> None:
        events = self.timeline.read(approval.incident_id)
        if any(
            event.event == "ApprovalDecided" and event.data.get("approval") == approval.id
            for event in events
        ):
            return
        comment = f": {approval.comment}" if approval.comment else ""
        self.timeline.append(
            approval.incident_id,
            Entry(
                event="ApprovalDecided",
                summary=f"{approval.status.value.capitalize()} by {approval.decided_by}{comment}"[
                    :2000
                ],
                actor=Actor.human(approval.decided_by or "nobody"),
                data={
                    "approval": approval.id,
                    "decision": approval.status.value,
                    "planHash": approval.plan_hash,
                },
            ),
        )
