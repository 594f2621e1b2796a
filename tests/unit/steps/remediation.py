"""A stored plan of two steps, ready to be run: what the tests of remediation share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from incident_squad.contracts import IncidentInput, RemediateInput, UndoOutput
from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.plan import Applier, Plan, PlannedStep, StepRecord
from incident_squad.domain.runbook import Runbook
from incident_squad.domain.values import Risk, Severity
from incident_squad.steps.remediate import Remediate
from incident_squad.steps.undo_remediation import UndoRemediation
from tests.builders import (
    INCIDENT_ID,
    NOW,
    a_catalog,
    a_plan,
    a_planned_step,
    a_runbook,
    an_alert,
    an_incident,
)
from tests.fakes import (
    FakeExecutor,
    FakeExecutors,
    FakeProbers,
    FixedClock,
    MemoryApprovals,
    MemoryIncidents,
    MemoryKnowledge,
    MemoryTimeline,
)

ROWS = ({"pid": "11", "query": "a"}, {"pid": "12", "query": "b"})
END: dict[str, Any] = {
    "title": "End the stuck sessions",
    "command": "SELECT pg_terminate_backend(pid)",
    "mutates": True,
    "risk": "medium",
    "parameters": {"seconds": {"type": "integer", "description": "x", "min": 1, "max": 600}},
    "action": {
        "kind": "sql",
        "target": "database",
        "preview": "SELECT pid",
        "apply": "SELECT pg_terminate_backend(pid) WHERE pid = ANY(%(preview_pid)s)",
    },
    "precheck": {
        "title": "Connections are short",
        "probe": {"kind": "sql", "target": "database", "sql": "short"},
        "expect": {"op": ">", "value": 0.5},
    },
    "verify": {
        "title": "They are gone",
        "probe": {"kind": "sql", "target": "database", "sql": "left"},
        "expect": {"op": "==", "value": 0},
    },
    "undo": {
        "title": "Start them again",
        "action": {"kind": "sql", "target": "database", "apply": "undo"},
    },
}
COUNT: dict[str, Any] = {
    "title": "Count",
    "command": "SELECT 1",
    "action": {"kind": "sql", "target": "database", "apply": "SELECT 1"},
}
FINE: Mapping[str, Any] = {"short": 0.9, "left": 0}


def the_runbook(*steps: Mapping[str, Any], **fields: Any) -> Runbook:
    return a_runbook(steps=[dict(step) for step in steps or (COUNT, END)], **fields)


def the_plan(runbook: Runbook, applier: Applier = Applier.HUMAN, **ends: Any) -> Plan:
    """The plan of a runbook; `ends` are fields of its last step."""
    steps: list[PlannedStep] = []
    for place, step in enumerate(runbook.steps):
        mutating = step.mutates and step.kind == "sql"
        steps.append(
            a_planned_step(
                step_index=place,
                title=step.title,
                kind=step.kind,
                command=step.command,
                target="orders-db" if step.kind in {"sql", "http"} else None,
                mutates=step.mutates,
                risk=step.risk,
                parameters={"seconds": 60} if step.parameters else {},
                preview=ROWS if mutating else (),
                when=step.when,
            )
        )
    steps[-1] = steps[-1].model_copy(update=ends)
    return a_plan(steps=tuple(steps), applier=applier)


@dataclass
class Squad:
    """Stores and fakes around one incident with a plan."""

    severity: Severity | None = Severity.SEV1
    runbook: Runbook = field(default_factory=the_runbook)
    plan: Plan | None = None
    answers: Mapping[str, Any] = field(default_factory=lambda: dict(FINE))
    catalog: Catalog = field(default_factory=a_catalog)
    approved: bool = True
    rows: tuple[dict[str, str], ...] = ROWS

    def __post_init__(self) -> None:
        self.clock = FixedClock(NOW)
        self.incidents = MemoryIncidents(self.clock)
        self.timeline = MemoryTimeline(self.incidents, self.clock)
        self.approvals = MemoryApprovals(self.clock)
        self.executor = FakeExecutor(self.rows, {"ended": ["11"]})
        self.executors = FakeExecutors({"sql": self.executor, "note": self.executor})
        self.knowledge = MemoryKnowledge(self.catalog, {self.runbook.name: self.runbook})
        self.probers = FakeProbers(self.clock, self.answers)
        incident = an_incident(severity=self.severity)
        self.incidents.open(incident, an_alert(), NOW + timedelta(days=1))
        self.incidents.put_plan(self.the_plan)
        if self.approved:
            self.approve()

    @property
    def the_plan(self) -> Plan:
        return self.plan or the_plan(self.runbook)

    def approve(self, **fields: Any) -> None:
        known: dict[str, Any] = {
            "id": "aaaabbbb",
            "incident_id": INCIDENT_ID,
            "plan_hash": self.the_plan.hash,
            "approvers": ("ada@example.com", "ben@example.com"),
            "created_at": NOW,
            "expires_at": NOW + timedelta(minutes=30),
            "status": ApprovalStatus.APPROVED,
            "decided_by": "ada@example.com",
            "decided_at": NOW,
        }
        self.approvals.put(Approval(**{**known, **fields}), "task token")

    @property
    def remediate(self) -> Remediate:
        return Remediate(
            incidents=self.incidents,
            timeline=self.timeline,
            approvals=self.approvals,
            knowledge=self.knowledge,
            probers=self.probers,
            executors=self.executors,
            clock=self.clock,
        )

    def run(self, place: int) -> str:
        return self.remediate(RemediateInput(incident_id=INCIDENT_ID, step=place)).status

    def run_all(self) -> None:
        for place in self.the_plan.indexes_to_run():
            self.run(place)

    def undo(self) -> UndoOutput:
        undo = UndoRemediation(
            incidents=self.incidents,
            timeline=self.timeline,
            knowledge=self.knowledge,
            executors=self.executors,
            clock=self.clock,
        )
        return undo(IncidentInput(incident_id=INCIDENT_ID))

    @property
    def done(self) -> list[str]:
        """What the executor did, dry runs left out."""
        return [act for act in self.executor.done if not act.startswith("preview:")]

    @property
    def events(self) -> list[str]:
        return [event.event for event in self.timeline.read(INCIDENT_ID)]

    @property
    def said(self) -> str:
        return self.timeline.read(INCIDENT_ID)[-1].summary

    def record(self, place: int) -> StepRecord:
        return next(one for one in self.incidents.steps(INCIDENT_ID) if one.place == place)


def high_risk() -> Runbook:
    return the_runbook({**END, "risk": Risk.HIGH})
