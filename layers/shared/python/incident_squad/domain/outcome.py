"""What became of an alert: each ends as exactly one of these."""

from enum import StrEnum

from incident_squad.domain.values import Value


class OutcomeKind(StrEnum):
    """The ways in which an alert can end."""

    OPENED = "opened"
    ATTACHED = "attached"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"
    IGNORED = "ignored"
    REJECTED = "rejected"


class Outcome(Value):
    """What became of one alert, where it went, and why, in words for the sender."""

    outcome: OutcomeKind
    incident_id: str | None = None
    reason: str
