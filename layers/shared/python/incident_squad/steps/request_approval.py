"""RequestApproval: ask people to decide about the stored plan, and wait for them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from incident_squad.contracts import Done, RequestApprovalInput
from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.errors import PolicyViolation
from incident_squad.domain.incident import Incident, IncidentStatus, Stage
from incident_squad.domain.plan import Applier, Plan
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.values import iso
from incident_squad.policy.phrases import phrase
from incident_squad.ports import (
    Approvals,
    Clock,
    IncidentStore,
    Knowledge,
    Message,
    Notifier,
    Signer,
    Timeline,
)
from incident_squad.steps.approval_links import link_for
from incident_squad.steps.decide_approval import DecideApproval
from incident_squad.steps.message_facts import details_of

ASKED = "ApproversAsked"


@dataclass(frozen=True)
class RequestApproval:
    """Ask each approver by a link of their own; a repeated request keeps the links good."""

    incidents: IncidentStore
    approvals: Approvals
    timeline: Timeline
    notifier: Notifier
    signer: Signer
    knowledge: Knowledge
    clock: Clock
    decide: DecideApproval
    public_url: Callable[[], str]

    def __call__(self, request: RequestApprovalInput) -> Done:
        """Store the task token and send the links; a decision made meanwhile is delivered."""
        incident = self.incidents.get(request.incident_id)
        plan = self.incidents.plan(request.incident_id)
        if plan is None or plan.applier is not Applier.HUMAN:
            raise PolicyViolation("there is no plan that a human may approve")
        standing = self._standing(plan)
        if standing is not None and standing.status is not ApprovalStatus.PENDING:
            self.decide.deliver(standing, request.task_token)
            return Done()
        if standing is None:
            standing = self._new(incident, plan, request.task_token)
        else:
            self.approvals.renew_token(standing, request.task_token)
        self.incidents.change(
            incident.id, status=IncidentStatus.AWAITING_APPROVAL, stage=Stage.APPROVAL
        )
        self._ask(incident, plan, standing)
        return Done()

    def _standing(self, plan: Plan) -> Approval | None:
        """The newest request about this very plan, if it is still good or was decided in time."""
        for approval in reversed(self.approvals.of_incident(plan.incident_id)):
            if approval.plan_hash != plan.hash:
                continue
            if approval.status in {ApprovalStatus.APPROVED, ApprovalStatus.REJECTED}:
                return approval
            if approval.status is ApprovalStatus.PENDING and approval.expires_at > self.clock.now():
                return approval
        return None

    def _new(self, incident: Incident, plan: Plan, task_token: str) -> Approval:
        now = self.clock.now()
        catalog = self.knowledge.catalog
        approval = Approval(
            id=secrets.token_hex(8),
            incident_id=incident.id,
            plan_hash=plan.hash,
            approvers=tuple(person.email for person in catalog.approvers(incident.service)),
            created_at=now,
            expires_at=now + timedelta(minutes=catalog.policies.approval_expires_minutes),
        )
        self.timeline.append(
            incident.id,
            Entry(
                event="ApprovalRequested",
                summary=f"Approval of the plan asked of {', '.join(approval.approvers)}, "
                f"good until {iso(approval.expires_at)}",
                actor=Actor.system("approvals"),
                data={"approval": approval.id, "planHash": plan.hash},
            ),
        )
        self.approvals.put(approval, task_token)
        return approval

    def _ask(self, incident: Incident, plan: Plan, approval: Approval) -> None:
        events = self.timeline.read(incident.id)
        if any(e.event == ASKED and e.data.get("approval") == approval.id for e in events):
            return
        for approver in approval.approvers:
            self.notifier.send(self._message(incident, plan, approval, approver))
        self.timeline.append(
            incident.id,
            Entry(
                event=ASKED,
                summary=f"A link of their own was sent to {len(approval.approvers)} approvers",
                actor=Actor.system("approvals"),
                data={"approval": approval.id},
            ),
        )

    def _message(
        self, incident: Incident, plan: Plan, approval: Approval, approver: str
    ) -> Message:
        own = link_for(approver, approval, self.signer)
        address = f"{self.public_url().rstrip('/')}/approvals/{own}"
        severity = incident.severity.value if incident.severity else "?"
        language = self.knowledge.catalog.policies.language_of("colleagues")
        steps = "\n".join(
            [
                *(f"- {step.title}" for step in plan.to_run()),
                *(f"- for people, not run by the squad: {task.title}" for task in plan.tasks()),
            ]
        )
        return Message(
            id=f"{approval.id}:{approver}",
            incident_id=incident.id,
            kind="approval",
            recipients=(approver,),
            subject=phrase("decide", language, severity=severity, title=incident.title)[:200],
            body=phrase(
                "plan",
                language,
                incident=incident.id,
                title=incident.title,
                risk=plan.risk.value,
                steps=steps,
                address=address,
                until=iso(approval.expires_at),
            ),
            urgent=True,
            link=address,
            details=details_of(incident, None),
        )
