"""The incident report: the customer's JSON, from what is stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from incident_squad.agents.communicator import executive_summary, write_update
from incident_squad.agents.facts import Facts, facts_of
from incident_squad.domain.approval import ApprovalStatus
from incident_squad.domain.errors import PolicyViolation
from incident_squad.domain.plan import Applier, StepStatus
from incident_squad.domain.record import IncidentRecord
from incident_squad.domain.report import (
    Report,
    ReportAgent,
    ReportDiagnosis,
    ReportEvent,
    ReportFinding,
    ReportFix,
    ReportSpend,
    ReportStep,
    ReportUpdate,
)
from incident_squad.domain.triage import FLOOR, Triage
from incident_squad.domain.update import UpdateState
from incident_squad.domain.values import Risk, iso
from incident_squad.ports import Clock, Knowledge

UNKNOWN_CAUSE = "Not known yet: nobody has looked at the systems so far."


@dataclass(frozen=True)
class BuildReport:
    """Builds the report of an incident at any time after its triage."""

    read_record: Callable[[str], IncidentRecord]
    knowledge: Knowledge
    clock: Clock

    def __call__(self, incident_id: str) -> Report:
        """The report as it stands now; raises UnknownIncident, PolicyViolation before triage."""
        return self.of(self.read_record(incident_id))

    def of(self, record: IncidentRecord) -> Report:
        """The report of a record that was read before."""
        incident, triage = record.incident, record.incident.triage
        if triage is None:
            raise PolicyViolation("there is no report before triage")
        facts = facts_of(record, self.knowledge.catalog, self.knowledge.runbooks)
        over = not incident.status.open
        return Report(
            incident_id=incident.id,
            title=incident.title,
            status=incident.status.value,
            severity=incident.severity or triage.severity,
            type=incident.type or triage.type,
            service=incident.service,
            runbook_id=record.plan.runbook_id if record.plan else record.runbook_id,
            root_cause=record.diagnosis.root_cause if record.diagnosis else UNKNOWN_CAUSE,
            triage=plain(triage),
            diagnosis=_diagnosis(record, triage),
            proposed_fix=self._fix(record),
            status_update=self._update(record, facts),
            approval=_approval(record),
            timeline=tuple(_events(record)),
            evidence=tuple(plain(evidence) for evidence in record.evidence),
            clocks=clocks(record),
            opened_at=incident.opened_at,
            resolved_at=incident.resolved_at,
            executive_summary=self._summary(record, facts) if over else "",
            engine=record.diagnosis.engine if record.diagnosis else triage.engine,
            spend=spend(record),
        )

    def _summary(self, record: IncidentRecord, facts: Facts) -> str:
        written = executive_summary(facts, self.clock.now())
        added = record.updates[-1].executive if record.updates else ""
        return f"{written}\n\n{added}" if added else written

    def _fix(self, record: IncidentRecord) -> ReportFix:
        plan = record.plan
        if plan is None:
            runbook = self.knowledge.runbooks.get(record.runbook_id or "")
            time = runbook.estimated_time if runbook else "not known yet"
            return ReportFix(
                steps=(),
                estimated_time=time,
                risk_level=_risk(Risk.NONE),
                applier=Applier.NOBODY.value,
            )
        return ReportFix(
            steps=tuple(_step(record, place) for place in range(len(plan.steps))),
            estimated_time=plan.estimated_time,
            risk_level=_risk(plan.risk),
            applier=plan.applier.value,
            why=plan.why,
            plan_hash=plan.hash,
        )

    def _update(self, record: IncidentRecord, facts: Facts) -> ReportUpdate:
        catalog = self.knowledge.catalog
        latest = (
            record.updates[-1]
            if record.updates
            else write_update(facts, UpdateState.INVESTIGATING, self.clock.now(), catalog)
        )
        return ReportUpdate(external=latest.external, internal=latest.internal)


def spend(record: IncidentRecord) -> ReportSpend:
    """What models have cost, by the timeline: each answer tells how it was made."""
    agents = tuple(
        ReportAgent(
            agent=event.actor.name,
            event=event.event,
            engine=str(event.data["model"]["engine"]),
            reason=str(event.data["model"]["reason"]),
            calls=int(event.data["model"]["calls"]),
            tokens=event.tokens,
            cached_tokens=int(event.data["model"].get("cachedTokens", 0)),
            usd=event.cost_usd,
        )
        for event in record.events
        if "model" in event.data
    )
    return ReportSpend(
        usd=round(sum(agent.usd for agent in agents), 6),
        tokens=sum(agent.tokens for agent in agents),
        calls=sum(agent.calls for agent in agents),
        cached_tokens=sum(agent.cached_tokens for agent in agents),
        agents=agents,
    )


def clocks(record: IncidentRecord) -> dict[str, float]:
    """Seconds from the opening to each stage that was reached."""
    approved = next(
        (a.decided_at for a in record.approvals if a.status is ApprovalStatus.APPROVED), None
    )
    applied = [s.finished_at for s in record.steps if s.status is StepStatus.APPLIED]
    moments: dict[str, datetime | None] = {
        name: event.at if (event := record.event_at(past)) else None
        for name, past in (
            ("triaged", "Triaged"),
            ("diagnosed", "Diagnosed"),
            ("planned", "PlanProposed"),
            ("recovered", "RecoveryVerified"),
        )
    }
    moments["approved"] = approved
    moments["mitigated"] = max((moment for moment in applied if moment), default=None)
    moments["resolved"] = record.incident.resolved_at
    start = record.incident.opened_at
    return {
        name: round((moment - start).total_seconds(), 3)
        for name, moment in moments.items()
        if moment
    }


def plain(value: object) -> Any:  # noqa: ANN401 - JSON can be anything
    """A value as JSON with names in camel case; the keys of free mappings stay as they are."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {to_camel(name): plain(getattr(value, name)) for name in fields}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return iso(value)
    return value.value if isinstance(value, Enum) else value


def _diagnosis(record: IncidentRecord, triage: Triage) -> ReportDiagnosis:
    found = record.diagnosis
    if found is None:
        return ReportDiagnosis(
            specialist=triage.type.value, findings=(), confidence=0, conclusive=False, engine=FLOOR
        )
    return ReportDiagnosis(
        specialist=found.specialist.value,
        runbook_id=found.runbook_id,
        findings=tuple(
            ReportFinding(statement=f.statement, evidence_ids=f.evidence_ids)
            for f in found.findings
        ),
        confidence=found.confidence,
        conclusive=found.conclusive,
        hypotheses=tuple(plain(hypothesis) for hypothesis in found.hypotheses),
        not_seen=found.not_seen,
        engine=found.engine,
        fallback_reason=found.fallback_reason,
    )


def _step(record: IncidentRecord, place: int) -> ReportStep:
    assert record.plan is not None  # noqa: S101 - the caller counts the plan's steps
    step, done = record.plan.steps[place], record.step_record(place)
    return ReportStep(
        **step.model_dump(exclude={"runbook_digest", "blocked", "risk", "when"}),
        risk=step.risk.value,
        when=step.when.value,
        status=record.step_status(place).value,
        detail=(done.detail if done else "") or step.blocked or "",
    )


def _risk(risk: Risk) -> str:
    """The level in the customer's words: a plan that only looks is of low risk."""
    return (Risk.LOW if risk is Risk.NONE else risk).value


def _approval(record: IncidentRecord) -> dict[str, Any] | None:
    if record.approval is None:
        return None
    shown: dict[str, Any] = plain(record.approval)
    shown.pop("incidentId")
    shown.pop("sent")
    return shown


def _events(record: IncidentRecord) -> list[ReportEvent]:
    return [
        ReportEvent(
            timestamp=event.at,
            event=event.event,
            summary=event.summary,
            actor=event.actor.name,
            evidence_ids=event.evidence_ids,
            engine=event.engine,
        )
        for event in record.events
    ]
