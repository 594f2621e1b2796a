"""UndoRemediation: take applied steps back, the last one first."""

from dataclasses import dataclass
from typing import Literal

from incident_squad.contracts import IncidentInput, UndoOutput
from incident_squad.domain.errors import SquadError, StepFailed
from incident_squad.domain.incident import Incident
from incident_squad.domain.plan import Effect, Plan, PlannedStep, StepRecord, StepStatus
from incident_squad.domain.runbook import Action, Step
from incident_squad.policy.permission import runbook_step
from incident_squad.ports import Clock, Executors, IncidentStore, Knowledge, Timeline
from incident_squad.steps.step_log import StepLog

Outcome = Literal["undone", "left", "nothing"]


@dataclass(frozen=True)
class UndoRemediation:
    """A failed undo never raises: the others still get theirs, and a human is told what is left."""

    incidents: IncidentStore
    timeline: Timeline
    knowledge: Knowledge
    executors: Executors
    clock: Clock

    def __call__(self, request: IncidentInput) -> UndoOutput:
        """Undo what was done; raises AuditFailure when an act cannot be written down first."""
        incident = self.incidents.get(request.incident_id)
        plan = self.incidents.plan(incident.id)
        records = sorted(self.incidents.steps(incident.id), key=lambda one: -one.place)
        outcomes = [self._take_back(incident, plan, record) for record in records]
        return UndoOutput(undone=outcomes.count("undone"), left=outcomes.count("left"))

    def _take_back(self, incident: Incident, plan: Plan | None, record: StepRecord) -> Outcome:
        log = StepLog(self.incidents, self.timeline, self.clock, incident.id, record.place)
        if record.effect is Effect.NONE:
            return "nothing"
        if plan is None or record.plan_hash != plan.hash or record.place >= len(plan.steps):
            return _left(log, "it belongs to a plan that is no longer there")
        planned = plan.steps[record.place]
        if not planned.mutates:
            return "nothing"
        if record.effect is Effect.UNKNOWN:
            return _left(log, f"nobody knows whether it took effect ({record.status.value})")
        return self._undo(incident, planned, record, log)

    def _undo(
        self, incident: Incident, planned: PlannedStep, record: StepRecord, log: StepLog
    ) -> Outcome:
        try:
            step = self._step(incident, planned)
        except SquadError as error:
            return _left(log, str(error))
        if step.undo is None or step.undo.action is None:
            why = step.undo.title if step.undo else "the runbook has no undo for it"
            log.write("UndoNotNeeded", f"is not taken back: {why}", {})
            return "nothing"
        log.write("StepUndoing", f"is being taken back: {step.undo.title}", {})
        record = log.keep(record, StepStatus.UNDOING, effect=Effect.UNKNOWN, finished_at=None)
        try:
            self._act(incident, step, step.undo.action, planned, record)
        except SquadError as error:
            log.keep(record, StepStatus.UNDO_FAILED, effect=Effect.UNKNOWN, detail=str(error))
            return _left(log, str(error))
        log.keep(record, StepStatus.UNDONE, effect=Effect.NONE)
        log.write("StepUndone", f"is taken back: {step.undo.title}", {})
        return "undone"

    def _step(self, incident: Incident, planned: PlannedStep) -> Step:
        runbook = self.knowledge.runbook(planned.runbook_id)
        return runbook_step(planned, runbook, self.knowledge.catalog, incident.service)

    def _act(
        self,
        incident: Incident,
        step: Step,
        action: Action,
        planned: PlannedStep,
        record: StepRecord,
    ) -> None:
        executor = self.executors.of(action.kind)
        if executor is None:
            raise StepFailed(f"the squad cannot run an undo of the kind '{action.kind}'")
        role = getattr(action, "target", None)
        target = self.knowledge.catalog.target_of(incident.service, role) if role else None
        acted_on = planned.model_copy(update={"preview": record.acted_on, "target": target})
        key = f"{incident.id}:{record.plan_hash}:{record.place}:undo"
        executor.undo(step, acted_on, record.result, key)


def _left(log: StepLog, why: str) -> Outcome:
    log.write("UndoFailed", f"could not be taken back, a human must look: {why}", {})
    return "left"
