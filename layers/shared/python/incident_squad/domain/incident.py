"""An incident: what the squad works on from alert to post-mortem."""

from enum import StrEnum

from pydantic import Field

from incident_squad.domain.triage import Triage
from incident_squad.domain.values import IncidentType, Moment, Severity, Value


class IncidentStatus(StrEnum):
    """Where the incident stands, as Slack and the status page would say it."""

    TRIAGING = "triaging"
    DIAGNOSING = "diagnosing"
    AWAITING_APPROVAL = "awaiting_approval"
    FIXING = "fixing"
    VERIFYING = "verifying"
    HANDED_OVER = "handed_over"
    RESOLVED = "resolved"

    @property
    def open(self) -> bool:
        """Whether somebody, human or agent, still has to work on it."""
        return self is not IncidentStatus.RESOLVED


class Stage(StrEnum):
    """Points of the workflow where a broken-off incident is taken up again."""

    TRIAGE = "triage"
    RESPOND = "respond"
    SYNTHESIZE = "synthesize"
    APPROVAL = "approval"
    REMEDIATE = "remediate"
    RECOVERY = "recovery"
    CLOSE = "close"
    HAND_OVER = "hand_over"
    DONE = "done"


class Incident(Value):
    """The head of an incident; alerts, events, plan and updates are stored beside it.

    `stage` is the next point of the workflow, so that a lost execution resumes there.
    `attempt` counts executions of the workflow for this incident, from 1.
    `last_alert_at` is good to a minute: it says how fresh the incident is, not more.
    `cause` is the runbook of the first alert that names a cause and not only a symptom, and
    `lead_key` the key of that alert; `opening_key` is the key of the alert that opened it.
    `stated_severity` is the worst that one of its alerts states.
    """

    id: str = Field(pattern=r"^INC-\d{8}-[0-9A-HJKMNP-TV-Z]{5,8}$")
    title: str = Field(max_length=1000)
    source: str
    status: IncidentStatus = IncidentStatus.TRIAGING
    stage: Stage = Stage.TRIAGE
    attempt: int = 1
    opened_at: Moment
    updated_at: Moment
    resolved_at: Moment | None = None
    type: IncidentType | None = None
    severity: Severity | None = None
    service: str | None = None
    triage: Triage | None = None
    source_resolved_at: Moment | None = None
    last_alert_at: Moment | None = None
    opening_key: str | None = None
    lead_key: str | None = None
    cause: str | None = None
    stated_severity: Severity | None = None
    hand_over_reason: str | None = None
