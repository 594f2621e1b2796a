"""VerifyRecovery: look whether the symptom itself is gone, within the time that it may take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from incident_squad.contracts import IncidentInput, VerifyRecoveryOutput
from incident_squad.domain.alert import AlertStatus
from incident_squad.domain.evidence import Evidence, EvidenceStatus, Verdict
from incident_squad.domain.incident import Incident, IncidentStatus, Stage
from incident_squad.domain.plan import Plan, PlannedStep, StepStatus
from incident_squad.domain.runbook import Condition, ParameterValue, Runbook
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.policy.thresholds import fitted
from incident_squad.ports import Clock, IncidentStore, Knowledge, Probers, Timeline
from incident_squad.steps.alert_record import leading_alert

_ACTOR = Actor.agent("verifier")
_SOON = timedelta(seconds=20)
"""Most repairs show within seconds: after them looks follow each other quickly for so long."""


@dataclass(frozen=True)
class VerifyRecovery:
    """One look at a time: the workflow waits in between, not this code."""

    incidents: IncidentStore
    timeline: Timeline
    knowledge: Knowledge
    probers: Probers
    clock: Clock

    def __call__(self, request: IncidentInput) -> VerifyRecoveryOutput:
        """Recovered: every condition has held for long enough, or the alert's source agrees."""
        incident = self.incidents.get(request.incident_id)
        wait = self.knowledge.catalog.policies.recovery_poll_seconds
        plan = self.incidents.plan(incident.id)
        why, evidence = self._recovered(incident, plan)
        if plan is not None and plan.tasks():
            return self._to_people(incident, plan, why, evidence)
        if why:
            self._conclude(incident, "RecoveryVerified", why, evidence, Stage.CLOSE)
            return VerifyRecoveryOutput(recovered="yes", wait_seconds=wait)
        if self.clock.now() < self._deadline(incident):
            self.incidents.change(
                incident.id, status=IncidentStatus.VERIFYING, stage=Stage.RECOVERY
            )
            return VerifyRecoveryOutput(
                recovered="not_yet", wait_seconds=self._pause(incident, plan, evidence)
            )
        seen = _unmet(evidence)
        undo = self._to_undo(incident, plan)
        self._conclude(
            incident,
            "RecoveryNotSeen",
            f"Not recovered in time: {seen}",
            evidence,
            Stage.RECOVERY if undo else Stage.HAND_OVER,
        )
        return VerifyRecoveryOutput(recovered="undo" if undo else "no", wait_seconds=wait)

    def _to_people(
        self, incident: Incident, plan: Plan, why: str | None, evidence: Sequence[Evidence]
    ) -> VerifyRecoveryOutput:
        """The squad has done its part: what is left takes people, whatever the symptom does."""
        tasks = "; ".join(step.title for step in plan.tasks())
        seen = f"the symptom is gone ({why})" if why else f"the symptom: {_unmet(evidence)}"
        words = f"What is left is for people: {tasks}. So far {seen}"
        self._conclude(incident, "TasksLeft", words, evidence, Stage.HAND_OVER)
        wait = self.knowledge.catalog.policies.recovery_poll_seconds
        return VerifyRecoveryOutput(recovered="tasks", wait_seconds=wait)

    def _to_undo(self, incident: Incident, plan: Plan | None) -> bool:
        """Whether the runbook wants its steps back, and one of them stands that can be."""
        if plan is None or plan.runbook_id is None:
            return False
        runbook = self.knowledge.runbook(plan.runbook_id)
        return runbook.undo_when_not_recovered and any(
            record.status is StepStatus.APPLIED
            and record.plan_hash == plan.hash
            and _has_undo(runbook, plan.steps[record.place])
            for record in self.incidents.steps(incident.id)
        )

    def _recovered(
        self, incident: Incident, plan: Plan | None
    ) -> tuple[str | None, Sequence[Evidence]]:
        """Why it counts as recovered, or None, and what was seen."""
        if incident.source_resolved_at is not None:
            return f"{incident.source} says that the alert is over", ()
        if incident.triage is not None and incident.triage.noise:
            return "a false alarm: there is nothing to recover from", ()
        conditions = self._conditions(plan, incident.service)
        looks = [
            self._look(incident, plan, place, condition)
            for place, condition in enumerate(conditions, start=1)
        ]
        evidence = [seen for _, seen in looks]
        titles = "; ".join(condition.title for condition in conditions)
        if looks and all(held for held, _ in looks):
            return titles, evidence
        if looks and all(seen.held_since for _, seen in looks) and self._lead_is_over(incident):
            agreed = [one.model_copy(update={"verdict": Verdict.SUPPORTS}) for one in evidence]
            return f"{titles}; {incident.source} says that the first alert is over", agreed
        return None, evidence

    def _lead_is_over(self, incident: Incident) -> bool:
        """Whether the source agrees about the alert that the repair was for, if not yet of all."""
        return leading_alert(self.incidents, incident).status is AlertStatus.RESOLVED

    def _pause(self, incident: Incident, plan: Plan | None, evidence: Sequence[Evidence]) -> int:
        """Seconds until the next look: no longer than until all that holds has held long enough."""
        if self.clock.now() - self._repaired_at(incident) < _SOON:
            return 1
        poll = self.knowledge.catalog.policies.recovery_poll_seconds
        conditions = self._conditions(plan, incident.service)
        return min(poll, _left(conditions, evidence) or poll)

    def _conditions(self, plan: Plan | None, service: str | None) -> Sequence[Condition]:
        if plan is None or plan.runbook_id is None:
            return ()
        catalog = self.knowledge.catalog
        runbook = fitted(self.knowledge.runbook(plan.runbook_id), catalog, service)
        conditions = runbook.recovery
        hold = catalog.policies.recovery_hold_seconds.get(plan.runbook_id)
        if hold is None:
            return conditions
        return [one.model_copy(update={"for_seconds": hold}) for one in conditions]

    def _look(
        self, incident: Incident, plan: Plan | None, place: int, condition: Condition
    ) -> tuple[bool, Evidence]:
        once = condition.model_copy(update={"within_seconds": 0, "for_seconds": 0})
        held, seen = self.probers.holds(once, incident.service, _parameters(plan))
        since = seen.observed_at if held else None
        if held and condition.for_seconds:
            since = self._held_since(incident, f"R{place}", seen)
        wanted = timedelta(seconds=condition.for_seconds)
        held = since is not None and seen.observed_at - since >= wanted
        verdict = Verdict.SUPPORTS if held else Verdict.CONTRADICTS
        update = {
            "id": f"R{place}",
            "question": condition.title,
            "meaning": condition.title,
            "verdict": verdict,
            "held_since": since,
        }
        look = seen.model_copy(update=update)
        if condition.for_seconds:
            self.incidents.put_evidence(incident.id, look)
        return held, look

    def _held_since(self, incident: Incident, evidence_id: str, seen: Evidence) -> datetime:
        """Since when it has held at every look, as far as looks are close enough to tell."""
        known = [one for one in self.incidents.evidence(incident.id) if one.id == evidence_id]
        if not known or known[0].held_since is None:
            return seen.observed_at
        poll = self.knowledge.catalog.policies.recovery_poll_seconds
        unseen = seen.observed_at - known[0].observed_at
        close = unseen <= timedelta(seconds=max(30, 4 * poll))
        after_repair = known[0].held_since >= self._repaired_at(incident)
        return known[0].held_since if close and after_repair else seen.observed_at

    def _deadline(self, incident: Incident) -> datetime:
        """Recovery has its time from the end of the last step."""
        limit = self.knowledge.catalog.policies.recovery_limit_minutes
        return self._repaired_at(incident) + timedelta(minutes=limit)

    def _repaired_at(self, incident: Incident) -> datetime:
        finished = [step.finished_at for step in self.incidents.steps(incident.id)]
        return max((at for at in finished if at is not None), default=incident.opened_at)

    def _conclude(
        self,
        incident: Incident,
        event: str,
        summary: str,
        evidence: Sequence[Evidence],
        stage: Stage,
    ) -> None:
        for seen in evidence:
            self.incidents.put_evidence(incident.id, seen)
        self.timeline.append(
            incident.id,
            Entry(
                event=event,
                summary=summary[:2000],
                actor=_ACTOR,
                evidence_ids=tuple(seen.id for seen in evidence),
            ),
        )
        self.incidents.change(incident.id, status=IncidentStatus.VERIFYING, stage=stage)


def _parameters(plan: Plan | None) -> dict[str, ParameterValue]:
    steps = plan.to_run() if plan else ()
    return {name: value for step in steps for name, value in step.parameters.items()}


def _left(conditions: Sequence[Condition], evidence: Sequence[Evidence]) -> int | None:
    """Seconds until all of it has held for long enough; None while something does not hold."""
    pairs = list(zip(conditions, evidence, strict=False))
    if not pairs or any(seen.held_since is None for _, seen in pairs):
        return None
    left = (
        condition.for_seconds - (seen.observed_at - seen.held_since).total_seconds()
        for condition, seen in pairs
        if seen.held_since is not None
    )
    return max(1, ceil(max(left)))


def _unmet(evidence: Sequence[Evidence]) -> str:
    unmet = [_words(seen) for seen in evidence if seen.verdict is not Verdict.SUPPORTS]
    return "; ".join(unmet) or "nothing here can show whether the symptom is gone"


def _has_undo(runbook: Runbook, planned: PlannedStep) -> bool:
    step = next(iter(runbook.steps[planned.step_index : planned.step_index + 1]), None)
    return bool(step and planned.mutates and step.undo and step.undo.action)


def _words(seen: Evidence) -> str:
    if seen.held_since is not None:
        return f"'{seen.meaning}' is so, but not for long enough: {seen.value}"
    if seen.status is EvidenceStatus.OK:
        return f"'{seen.meaning}' is not so: {seen.value}"
    return f"'{seen.meaning}' cannot be seen ({seen.status.value.replace('_', ' ')})"
