"""What is written about a step: its event on the timeline, and its record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from incident_squad.domain.errors import InvalidParameter, PolicyViolation, UnknownRunbook
from incident_squad.domain.plan import Effect, PlannedStep, StepRecord, StepStatus
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.ports import Clock, IncidentStore, Timeline

ROWS_SHOWN = 50
"""Rows of a dry run that an event repeats; the record holds all of them."""

RESULTS_SHOWN = 10
"""Values of each list in a result that an event repeats."""

_REFUSALS = (PolicyViolation, InvalidParameter, UnknownRunbook)


@dataclass(frozen=True)
class StepLog:
    """Writes about the step at one place of an incident's plan."""

    incidents: IncidentStore
    timeline: Timeline
    clock: Clock
    incident_id: str
    place: int

    def stopped(self, error: Exception) -> None:
        """The step was not begun: refused by law, or it had failed before."""
        event = "StepRefused" if isinstance(error, _REFUSALS) else "StepFailed"
        self.write(event, f"was not run: {error}", {})

    def skipped(self, plan_hash: str, why: str, evidence: tuple[str, ...] = ()) -> None:
        """The step has nothing to do."""
        self.write("StepSkipped", f"has nothing to do: {why}", {}, evidence)
        self.keep(self.new(plan_hash), StepStatus.SKIPPED, detail=why)

    def not_begun(self, plan_hash: str, why: str) -> None:
        """Something was wrong before the act."""
        self.write("StepFailed", f"failed before it changed anything: {why}", {})
        self.keep(self.new(plan_hash), StepStatus.FAILED, detail=why)

    def applying(self, plan_hash: str, planned: PlannedStep, drift: str) -> StepRecord:
        """The act begins as soon as this is written."""
        listed = f" on {len(planned.preview)} listed" if planned.preview else ""
        data = {
            "planHash": plan_hash,
            "target": planned.target,
            "parameters": dict(planned.parameters),
            "preview": list(planned.preview[:ROWS_SHOWN]),
        }
        note = f" ({drift})" if drift else ""
        self.write("StepApplying", f"begins{listed}{note}: {planned.command}", data)
        record = self.new(plan_hash).model_copy(update={"acted_on": planned.preview})
        return self.keep(record, StepStatus.APPLYING, effect=Effect.UNKNOWN, finished_at=None)

    def applied(self, record: StepRecord, result: Mapping[str, Any]) -> StepRecord:
        """The act is over. The record comes first: what undo needs must not be lost."""
        record = self.keep(record, StepStatus.APPLIED, effect=Effect.DONE, result=dict(result))
        data = {"planHash": record.plan_hash, "result": _excerpt(result)}
        self.write("StepApplied", "is applied", data)
        return record

    def verified(self, what: str, evidence: tuple[str, ...]) -> None:
        """The step did what it should."""
        self.write("StepVerified", f"is verified: {what}", {}, evidence)

    def failed(
        self, record: StepRecord, why: str, effect: Effect, evidence: tuple[str, ...] = ()
    ) -> None:
        """The step did not do what it should; `effect` says whether there is something to undo."""
        self.write("StepFailed", f"failed: {why}", {"effect": effect.value}, evidence)
        self.keep(record, StepStatus.FAILED, effect=effect, detail=why)

    def new(self, plan_hash: str) -> StepRecord:
        """A record that begins now."""
        return StepRecord(
            place=self.place,
            plan_hash=plan_hash,
            status=StepStatus.PLANNED,
            started_at=self.clock.now(),
        )

    def keep(self, record: StepRecord, status: StepStatus, **fields: object) -> StepRecord:
        """Store the record in its new state."""
        changes = {"status": status, "finished_at": self.clock.now(), **fields}
        record = StepRecord.model_validate({**record.model_dump(), **changes})
        self.incidents.put_step(self.incident_id, record)
        return record

    def write(
        self, event: str, what: str, data: Mapping[str, Any], evidence: tuple[str, ...] = ()
    ) -> None:
        """One event about this step; raises AuditFailure."""
        self.timeline.append(
            self.incident_id,
            Entry(
                event=event,
                summary=f"Step {self.place + 1} {what}"[:2000],
                actor=Actor.agent("remediator"),
                data={"place": self.place, **data},
                evidence_ids=evidence,
            ),
        )


def _excerpt(result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value[:RESULTS_SHOWN] if isinstance(value, list) else value
        for name, value in result.items()
    }
