"""What an investigating model may look at, for one incident: everything here only reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from incident_squad.agents.looks import (
    ExecuteRunbook,
    GetRunbook,
    Looks,
    QueryMetrics,
    RecentChanges,
    RunChecks,
    SimilarIncidents,
)
from incident_squad.agents.specialist import answered
from incident_squad.domain.alert import Alert
from incident_squad.domain.errors import InvalidParameter, PolicyViolation
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.incident import Incident
from incident_squad.domain.metric import MetricQuestion, TimeRange
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import ParameterValue, Step
from incident_squad.domain.values import iso
from incident_squad.policy.measure import as_evidence
from incident_squad.policy.thresholds import fitted
from incident_squad.ports import (
    Clock,
    Executor,
    Executors,
    IncidentQuery,
    IncidentStore,
    Knowledge,
    Probers,
    Telemetry,
)
from incident_squad.steps.planning import Planner
from incident_squad.steps.query_metrics import QueryMetrics as QueryMetricsStep

_GUIDE = 3000


class LookOnly:
    """Implements `Executors` and `Executor` by previews alone: there are no hands behind it."""

    def __init__(self, executors: Executors, executor: Executor | None = None) -> None:
        self._executors = executors
        self._executor = executor

    def of(self, kind: str) -> Executor | None:
        """The eyes of a kind, or None when that kind is not built."""
        found = self._executors.of(kind)
        return LookOnly(self._executors, found) if found else None

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        """What the step would change."""
        return self._executor.preview(step, target, parameters) if self._executor else ()

    def apply(self, step: Step, planned: PlannedStep, idempotency_key: str) -> Mapping[str, Any]:
        """Never."""
        del step, planned, idempotency_key
        raise PolicyViolation("a model has no hands")

    def undo(
        self, step: Step, planned: PlannedStep, result: Mapping[str, Any], idempotency_key: str
    ) -> Mapping[str, Any]:
        """Never."""
        del step, planned, result, idempotency_key
        raise PolicyViolation("a model has no hands")


@dataclass(frozen=True)
class LooksOf:
    """Builds the tools of one incident's investigation."""

    incidents: IncidentStore
    knowledge: Knowledge
    probers: Probers
    planner: Planner
    clock: Clock
    telemetry: Telemetry
    metrics: QueryMetricsStep

    def __call__(self, incident: Incident, alert: Alert) -> Looks:
        """The closed set of tools."""
        eyes = _Eyes(self, incident, alert)
        return Looks(
            query_metrics=eyes.query_metrics,
            get_runbook=eyes.get_runbook,
            run_checks=eyes.run_checks,
            preview_step=eyes.preview_step,
            recent_changes=eyes.recent_changes,
            similar_incidents=eyes.similar_incidents,
        )


@dataclass(frozen=True)
class _Eyes:
    of: LooksOf
    incident: Incident
    alert: Alert

    def query_metrics(self, asked: QueryMetrics) -> Sequence[Evidence]:
        """One question to a metric source, answered from the incident's record if it is there."""
        given = asked.timeRange
        try:
            span = TimeRange(start=given.start, end=given.end) if given else None
            question = MetricQuestion(
                source=asked.source,
                query=asked.query,
                time_range=span,
                aggregation=asked.aggregation,
            )
        except ValidationError as error:
            raise InvalidParameter("; ".join(str(e["msg"]) for e in error.errors()[:3])) from error
        return (as_evidence(self.of.metrics(question, self.incident.id)),)

    def get_runbook(self, asked: GetRunbook) -> str:
        """What a runbook says; raises UnknownRunbook. It is knowledge, not evidence."""
        runbook = self.of.knowledge.runbook(asked.runbookId)
        checks = [f"- check {check.id}: {check.title}; {check.means}" for check in runbook.checks]
        steps = [
            f"- step {place} ({'changes' if step.mutates else 'looks'}, risk {step.risk.value}): "
            f"{step.title}: {step.command}"
            for place, step in enumerate(runbook.steps)
        ]
        about = (f"{runbook.title}: {runbook.description}", f"cause: {runbook.root_cause}")
        return "\n".join((*about, *checks, *steps, runbook.guide[:_GUIDE]))

    def run_checks(self, asked: RunChecks) -> Sequence[Evidence]:
        """The runbook's own checks, judged by its own thresholds; raises UnknownRunbook."""
        service, knowledge = self.incident.service, self.of.knowledge
        runbook = fitted(knowledge.runbook(asked.runbookId), knowledge.catalog, service)
        return tuple(
            answered(runbook, check, lambda probe: self.of.probers.ask(probe, service, {}))
            for check in runbook.checks
        )

    def preview_step(self, asked: ExecuteRunbook) -> Sequence[Evidence]:
        """What a step would change; raises UnknownRunbook and InvalidParameter."""
        runbook = self.of.knowledge.runbook(asked.runbookId)
        if asked.stepIndex >= len(runbook.steps):
            raise InvalidParameter(f"'{runbook.name}' has {len(runbook.steps)} steps, from 0")
        environment = self.incident.triage.environment if self.incident.triage else None
        if environment and asked.targetEnvironment != environment.value:
            raise InvalidParameter(f"this incident is in {environment.value}")
        step = self.of.planner.plan_step(
            runbook, asked.stepIndex, self.alert, self.incident.service
        )
        blocked = f"; it cannot run: {step.blocked}" if step.blocked else ""
        return (
            self._seen(
                "runbook",
                f"dry run of step {asked.stepIndex} of {runbook.name}",
                f"{step.title}: {step.command}; parameters {step.parameters}{blocked}",
                [dict(row) for row in step.preview[:20]],
            ),
        )

    def recent_changes(self, asked: RecentChanges) -> Sequence[Evidence]:
        """What metric sources know of changes."""
        service = self.incident.service
        if service not in self.of.knowledge.catalog.services:
            return (self._seen("changes", "recent changes", "no source knows of changes", None),)
        now = self.of.clock.now()
        span = TimeRange(start=now - timedelta(hours=asked.hours), end=now)
        found = self.of.telemetry.changes(service, span)
        rows = [
            {"at": iso(change.at), "what": change.what, "source": change.source}
            for source in found
            for change in source.changes
        ]
        why = "; ".join(f"{s.source}: {s.status.value} {s.message}".strip() for s in found)
        return (self._seen("changes", f"changes of {service}", why, rows or None),)

    def similar_incidents(self, asked: SimilarIncidents) -> Sequence[Evidence]:
        """Earlier incidents of the service, newest first."""
        incident = self.incident
        query = IncidentQuery(service=incident.service, type=incident.type, limit=asked.limit + 1)
        others = [one for one in self.of.incidents.list(query).incidents if one.id != incident.id]
        rows = []
        for one in others[: asked.limit]:
            diagnosis = self.of.incidents.diagnosis(one.id)
            rows.append(
                {
                    "id": one.id,
                    "title": one.title[:200],
                    "status": one.status.value,
                    "runbook": (diagnosis.runbook_id if diagnosis else None) or "",
                    "cause": diagnosis.root_cause[:300] if diagnosis else "",
                }
            )
        question = f"earlier {incident.type or ''} incidents of {incident.service}"
        return (self._seen("incidents", question, "" if rows else "there are none", rows or None),)

    def _seen(
        self, source: str, question: str, detail: str, rows: list[dict[str, str]] | None
    ) -> Evidence:
        return Evidence(
            id="",
            source=source,
            query=question,
            status=EvidenceStatus.NO_DATA if rows is None else EvidenceStatus.OK,
            detail=detail[:1500],
            rows=tuple(rows or ()),
            observed_at=self.of.clock.now(),
        )
