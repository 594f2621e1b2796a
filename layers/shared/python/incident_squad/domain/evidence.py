"""Evidence, findings and hypotheses: what a diagnosis rests on."""

from enum import StrEnum

from pydantic import Field

from incident_squad.domain.metric import MetricResult
from incident_squad.domain.triage import FLOOR
from incident_squad.domain.values import IncidentType, Moment, Value

METRIC_ID = "M-"
"""What ids of answers of metric sources begin with: they are recorded when they are asked for."""


class EvidenceStatus(StrEnum):
    """How a look at a system ended."""

    OK = "ok"
    NO_DATA = "no_data"
    DENIED = "denied"
    ERROR = "error"
    NOT_CONFIGURED = "not_configured"


class Verdict(StrEnum):
    """What evidence says about the hypothesis that asked for it."""

    SUPPORTS = "supports"
    CONTRADICTS = "contradicts"
    SILENT = "silent"


class Evidence(Value):
    """One observation: who was asked what, and what came back.

    `question` is what it should answer, in words for people, and `query` what was sent. `value` is
    what the threshold was applied to. `rows` is a bounded excerpt of the answer, `measured` the
    answer of a metric source. `held_since` is when a condition was first seen to hold without a
    break.
    """

    id: str
    source: str
    query: str
    status: EvidenceStatus
    value: float | str | bool | None = None
    rows: tuple[dict[str, str], ...] = ()
    detail: str = ""
    observed_at: Moment
    runbook_id: str | None = None
    verdict: Verdict = Verdict.SILENT
    meaning: str = ""
    question: str = ""
    measured: MetricResult | None = None
    held_since: Moment | None = None

    @property
    def asked(self) -> str:
        """The question in words, or the query where nobody put it into words."""
        return self.question or self.query


class Finding(Value):
    """One statement of a diagnosis and the evidence that it rests on."""

    statement: str
    evidence_ids: tuple[str, ...] = Field(default=(), alias="evidenceIds")


class Hypothesis(Value):
    """A cause that was considered, by its runbook; evidence ids speak for or against it."""

    runbook_id: str
    statement: str
    supported_by: tuple[str, ...] = ()
    contradicted_by: tuple[str, ...] = ()
    not_seen: tuple[str, ...] = ()


class Diagnosis(Value):
    """The specialist's answer.

    `conclusive` is true only when observed evidence supports the chosen runbook and none of it
    contradicts: without it nothing is applied. `confidence` is 0 to 1.
    `fallback_reason` says why a model that was asked did not make the answer, or what of its
    answer was left out.
    """

    specialist: IncidentType
    runbook_id: str | None
    root_cause: str
    conclusive: bool
    confidence: float = Field(ge=0, le=1)
    findings: tuple[Finding, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    not_seen: tuple[str, ...] = ()
    engine: str = FLOOR
    fallback_reason: str = ""
