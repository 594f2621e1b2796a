"""Synthesize: put the diagnosis and the fix together, and say who may apply it."""

from dataclasses import dataclass

from incident_squad.contracts import IncidentInput, SynthesizeOutput
from incident_squad.domain.approval import ApprovalStatus
from incident_squad.domain.errors import PolicyViolation
from incident_squad.domain.evidence import Diagnosis
from incident_squad.domain.incident import Incident, Stage
from incident_squad.domain.plan import Plan
from incident_squad.domain.runbook import Runbook
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.triage import NONE_FITS, Triage
from incident_squad.policy.apply import who_may_apply
from incident_squad.policy.breaker import tripped
from incident_squad.ports import Approvals, Clock, IncidentStore, Knowledge, Timeline
from incident_squad.steps.alert_record import leading_alert
from incident_squad.steps.past_repairs import past_repairs
from incident_squad.steps.planning import Planner

FALSE_ALARM = "false-alarm"
APPROVAL_MARGIN_SECONDS = 15
"""The workflow waits a little longer than the links are good, so that no decision is lost."""


@dataclass(frozen=True)
class Synthesize:
    """Make the plan and store it; what is stored is all that can ever be applied."""

    incidents: IncidentStore
    approvals: Approvals
    timeline: Timeline
    knowledge: Knowledge
    planner: Planner
    clock: Clock

    def __call__(self, request: IncidentInput) -> SynthesizeOutput:
        """Plan, or keep the plan that people or steps already rely on."""
        incident = self.incidents.get(request.incident_id)
        plan = self.incidents.plan(incident.id)
        if plan is None or not self._relied_on(plan):
            plan = self._make(incident)
        minutes = self.knowledge.catalog.policies.approval_expires_minutes
        return SynthesizeOutput(
            applier=plan.applier,
            steps=plan.indexes_to_run(),
            approval_seconds=int(minutes * 60) + APPROVAL_MARGIN_SECONDS,
        )

    def _relied_on(self, plan: Plan) -> bool:
        """Whether a request for approval or a step of this very plan exists."""
        standing = {ApprovalStatus.PENDING, ApprovalStatus.APPROVED, ApprovalStatus.REJECTED}
        approvals = self.approvals.of_incident(plan.incident_id)
        if any(a.plan_hash == plan.hash and a.status in standing for a in approvals):
            return True
        return any(step.plan_hash == plan.hash for step in self.incidents.steps(plan.incident_id))

    def _make(self, incident: Incident) -> Plan:
        diagnosis = self.incidents.diagnosis(incident.id)
        if incident.triage is None or diagnosis is None:
            raise PolicyViolation("a plan is made after triage and diagnosis")
        runbook = self._runbook(incident.triage, diagnosis)
        alert = leading_alert(self.incidents, incident)
        steps = self.planner.plan_steps(
            runbook, alert, incident.service, patient=diagnosis.conclusive
        )
        applier, why = who_may_apply(
            incident.triage,
            diagnosis,
            steps,
            automatic_repair=self.knowledge.catalog.policies.automatic_repair,
            stopped=self._stopped(incident, runbook),
        )
        plan = Plan(
            incident_id=incident.id,
            runbook_id=runbook.name,
            environment=incident.triage.environment,
            steps=steps,
            estimated_time=runbook.estimated_time,
            applier=applier,
            why=why,
            created_at=self.clock.now(),
        )
        self._record(plan)
        self.incidents.put_plan(plan)
        self.incidents.change(incident.id, stage=Stage.APPROVAL)
        return plan

    def _stopped(self, incident: Incident, runbook: Runbook) -> str | None:
        """What the circuit breaker says of this service."""
        breaker = self.knowledge.catalog.policies.breaker
        history = past_repairs(self.incidents, incident, self.clock, breaker.window_minutes)
        return tripped(history, runbook.name, breaker, self.clock.now())

    def _runbook(self, triage: Triage, diagnosis: Diagnosis) -> Runbook:
        if triage.noise:
            return self.knowledge.runbook(FALSE_ALARM)
        return self.knowledge.runbook(diagnosis.runbook_id or triage.runbook_id or NONE_FITS)

    def _record(self, plan: Plan) -> None:
        self.timeline.append(
            plan.incident_id,
            Entry(
                event="PlanProposed",
                summary=f"{len(plan.to_run())} steps of {plan.runbook_id}{_tasks(plan)}, risk "
                f"{plan.risk.value}; applied by: {plan.applier.value} ({'; '.join(plan.why)})"[
                    :1900
                ],
                actor=Actor.agent("synthesizer"),
                data={"planHash": plan.hash, "applier": plan.applier.value},
            ),
        )


def _tasks(plan: Plan) -> str:
    count = len(plan.tasks())
    return f" and {count} {'task' if count == 1 else 'tasks'} for people" if count else ""
