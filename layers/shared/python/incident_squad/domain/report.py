"""The incident report: the customer's JSON, with a few fields more."""

from typing import Any

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from incident_squad.domain.values import IncidentType, Moment, Severity, Value


class Camel(Value):
    """Values whose JSON names are in camel case."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, alias_generator=to_camel
    )


class ReportFinding(Camel):
    """A statement and its evidence."""

    statement: str
    evidence_ids: tuple[str, ...] = ()


class ReportDiagnosis(Camel):
    """What the specialist found; `confidence` is 0 to 1."""

    specialist: str
    runbook_id: str | None = None
    findings: tuple[ReportFinding, ...]
    confidence: float
    conclusive: bool
    hypotheses: tuple[dict[str, Any], ...] = ()
    not_seen: tuple[str, ...] = ()
    engine: str
    fallback_reason: str = ""


class ReportStep(Camel):
    """A step of the fix and what became of it."""

    runbook_id: str
    step_index: int
    title: str
    kind: str
    command: str
    target: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    preview: tuple[dict[str, str], ...] = ()
    mutates: bool
    risk: str
    undo: str
    when: str
    status: str
    detail: str = ""


class ReportFix(Camel):
    """The fix that is proposed and who may apply it."""

    steps: tuple[ReportStep, ...]
    estimated_time: str
    risk_level: str
    applier: str
    why: tuple[str, ...] = ()
    plan_hash: str | None = None


class ReportUpdate(Camel):
    """The latest texts for the outside and the inside."""

    external: str
    internal: str


class ReportEvent(Camel):
    """One line of the timeline."""

    timestamp: Moment
    event: str
    summary: str
    actor: str
    evidence_ids: tuple[str, ...] = ()
    engine: str | None = None


class ReportAgent(Camel):
    """How an agent made its answer: `engine` made it, `reason` says why another one did not."""

    agent: str
    event: str
    engine: str
    reason: str = ""
    calls: int = 0
    tokens: int = 0
    cached_tokens: int = 0
    usd: float = 0.0


class ReportSpend(Camel):
    """What models have cost; without a model there are no agents in it.

    `cached_tokens` are those of `tokens` that were read from the prompt cache.
    """

    usd: float = 0.0
    tokens: int = 0
    calls: int = 0
    cached_tokens: int = 0
    agents: tuple[ReportAgent, ...] = ()


class Report(Camel):
    """Everything about an incident, for people and machines."""

    incident_id: str
    title: str
    status: str
    severity: Severity
    type: IncidentType
    service: str | None = None
    runbook_id: str | None = None
    root_cause: str
    triage: dict[str, Any]
    diagnosis: ReportDiagnosis
    proposed_fix: ReportFix
    status_update: ReportUpdate
    approval: dict[str, Any] | None = None
    timeline: tuple[ReportEvent, ...]
    evidence: tuple[dict[str, Any], ...] = ()
    clocks: dict[str, float] = Field(default_factory=dict)
    opened_at: Moment
    resolved_at: Moment | None = None
    executive_summary: str = ""
    engine: str
    spend: ReportSpend = ReportSpend()

    def to_json(self) -> dict[str, Any]:
        """The JSON form, with the customer's names."""
        return self.model_dump(mode="json", by_alias=True)
