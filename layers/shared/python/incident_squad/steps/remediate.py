"""RemediateStep: run one step of the stored plan, as a small transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from incident_squad.contracts import RemediateInput, RemediateOutput
from incident_squad.domain.errors import (
    PlanChanged,
    PolicyViolation,
    SquadError,
    StepFailed,
    TargetUnavailable,
)
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.incident import Incident, IncidentStatus, Stage
from incident_squad.domain.plan import Effect, Plan, PlannedStep, StepRecord, StepStatus
from incident_squad.domain.runbook import Condition, Step
from incident_squad.policy.drift import Fit, drift
from incident_squad.policy.parameters import names_for_sql
from incident_squad.policy.permission import (
    planned_step,
    require_permission,
    require_turn,
    runbook_step,
)
from incident_squad.policy.thresholds import fitted
from incident_squad.ports import (
    Approvals,
    Clock,
    Executor,
    Executors,
    IncidentStore,
    Knowledge,
    Probers,
    Timeline,
)
from incident_squad.steps.step_log import StepLog

Ended = Literal["applied", "skipped"]

_ENDED: Mapping[StepStatus, Ended] = {
    StepStatus.APPLIED: "applied",
    StepStatus.SKIPPED: "skipped",
}


@dataclass(frozen=True)
class _Job:
    """A step that has passed every check."""

    incident: Incident
    plan: Plan
    place: int
    planned: PlannedStep
    step: Step
    executor: Executor
    log: StepLog

    @property
    def key(self) -> str:
        """The same for every try of this very step."""
        return f"{self.incident.id}:{self.plan.hash}:{self.place}"


@dataclass(frozen=True)
class _NothingToDo:
    """Why a step is skipped, and what shows it."""

    why: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Ready:
    """The step narrowed to what is still there; `drift` tells the difference to the plan."""

    planned: PlannedStep
    drift: str = ""


@dataclass(frozen=True)
class Remediate:
    """Check, look, act, look again. The event of the act is written before the act."""

    incidents: IncidentStore
    timeline: Timeline
    approvals: Approvals
    knowledge: Knowledge
    probers: Probers
    executors: Executors
    clock: Clock

    def __call__(self, request: RemediateInput) -> RemediateOutput:
        """Run the step, unless it ran before.

        Raises PolicyViolation when nothing was done, else StepFailed or TargetUnavailable; each
        is on the timeline first.
        """
        incident = self.incidents.get(request.incident_id)
        log = StepLog(self.incidents, self.timeline, self.clock, incident.id, request.step)
        try:
            job = self._admit(incident, log)
            ended = self._ended_before(job)
        except SquadError as error:
            log.stopped(error)
            raise
        ended = ended or self._run(job)
        if job.place == job.plan.indexes_to_run()[-1]:
            self.incidents.change(
                incident.id, status=IncidentStatus.VERIFYING, stage=Stage.RECOVERY
            )
        return RemediateOutput(status=ended)

    def _admit(self, incident: Incident, log: StepLog) -> _Job:
        plan, planned = planned_step(incident, self.incidents.plan(incident.id), log.place)
        catalog = self.knowledge.catalog
        runbook = fitted(self.knowledge.runbook(planned.runbook_id), catalog, incident.service)
        step = runbook_step(planned, runbook, catalog, incident.service)
        require_permission(
            incident,
            plan,
            step,
            approvals=self.approvals.of_incident(incident.id),
            policies=catalog.policies,
            now=self.clock.now(),
        )
        executor = self.executors.of(step.kind)
        if executor is None:
            raise PolicyViolation(f"the squad cannot run steps of the kind '{step.kind}'")
        return _Job(incident, plan, log.place, planned, step, executor, log)

    def _ended_before(self, job: _Job) -> Ended | None:
        """How the step ended in an earlier try; raises StepFailed when that is no good."""
        records = self.incidents.steps(job.incident.id)
        record = next((one for one in records if one.place == job.place), None)
        if record is not None and record.plan_hash == job.plan.hash and record.status in _ENDED:
            return _ENDED[record.status]
        if record is not None and record.effect is Effect.UNKNOWN:
            raise StepFailed("an earlier try broke off: nobody knows whether it took effect")
        if record is not None and (
            record.plan_hash == job.plan.hash or record.effect is Effect.DONE
        ):
            raise StepFailed(f"an earlier try ended as {record.status.value}: {record.detail}")
        require_turn(job.plan, job.place, records)
        return None

    def _run(self, job: _Job) -> Ended:
        self.incidents.change(job.incident.id, status=IncidentStatus.FIXING, stage=Stage.REMEDIATE)
        try:
            ready = self._prepare(job)
        except SquadError as error:
            job.log.not_begun(job.plan.hash, str(error))
            raise
        if isinstance(ready, _NothingToDo):
            job.log.skipped(job.plan.hash, ready.why, ready.evidence)
            return "skipped"
        record = job.log.applying(job.plan.hash, ready.planned, ready.drift)
        record = self._apply(job, ready.planned, record)
        self._verify(job, ready.planned, record)
        return "applied"

    def _prepare(self, job: _Job) -> _Ready | _NothingToDo:
        """The precheck and the dry run: nothing is changed, whatever comes of them."""
        if job.step.precheck is not None:
            held, seen = self._look(job, job.step.precheck, "before", job.planned)
            if seen.status is not EvidenceStatus.OK:
                raise StepFailed(
                    f"the precheck '{job.step.precheck.title}' gave no answer: "
                    f"{seen.status.value} {seen.detail}"
                )
            if not held:
                return _NothingToDo(f"'{job.step.precheck.title}' does not hold", (seen.id,))
        return self._dry_run(job) if job.step.mutates else _Ready(job.planned)

    def _dry_run(self, job: _Job) -> _Ready | _NothingToDo:
        fresh = job.executor.preview(job.step, job.planned.target, job.planned.parameters)
        found = drift(job.step.action, job.planned.preview, fresh)
        if found.fit is Fit.CHANGED:
            raise PlanChanged(f"the dry run is not the planned one any more: {found.words()}")
        if found.fit is Fit.NOTHING_LEFT:
            return _NothingToDo("nothing of what the plan lists is left")
        narrowed = job.planned.model_copy(update={"preview": found.kept})
        return _Ready(narrowed, found.words())

    def _apply(self, job: _Job, planned: PlannedStep, record: StepRecord) -> StepRecord:
        try:
            result = job.executor.apply(job.step, planned, job.key)
        except SquadError as error:
            # Unavailable means that the act was not even begun; all else leaves it open.
            effect = Effect.NONE if isinstance(error, TargetUnavailable) else Effect.UNKNOWN
            job.log.failed(record, str(error), effect)
            raise
        return job.log.applied(record, result)

    def _verify(self, job: _Job, planned: PlannedStep, record: StepRecord) -> None:
        condition = job.step.verify
        if condition is None:
            return
        held, seen = self._look(job, condition, "after", planned, record.result)
        if held:
            job.log.verified(condition.title, (seen.id,))
            return
        why = f"'{condition.title}' does not hold after it: {_observed(seen)}"
        job.log.failed(record, why, Effect.DONE, (seen.id,))
        raise StepFailed(why)

    def _look(
        self,
        job: _Job,
        condition: Condition,
        moment: Literal["before", "after"],
        planned: PlannedStep,
        result: Mapping[str, Any] | None = None,
    ) -> tuple[bool, Evidence]:
        names = names_for_sql(planned.parameters, planned.preview, result)
        held, seen = self.probers.holds(condition, job.incident.service, names)
        seen = seen.model_copy(
            update={
                "id": f"S{job.place + 1}-{moment}",
                "runbook_id": planned.runbook_id,
                "question": condition.title,
                "meaning": condition.title,
            }
        )
        self.incidents.put_evidence(job.incident.id, seen)
        return held, seen


def _observed(seen: Evidence) -> str:
    if seen.status is EvidenceStatus.OK:
        return str(seen.value)[:300]
    return f"{seen.status.value} {seen.detail}"[:300]
