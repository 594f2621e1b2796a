"""What triage says of an alert."""

from pydantic import Field

from incident_squad.domain.values import Environment, IncidentType, Severity, Value

FLOOR = "floor"
"""The maker of an answer that no model touched."""


class Impact(Value):
    """What the alert itself states about its effect. Percentages are 0 to 100.

    `minor` means internal or explicitly non-critical, `few` a handful of people, `harmless` that
    nobody feels it, `core_well` that what matters still works, `contained` that an attack was
    blocked.
    """

    affected_percent: float | None = Field(default=None, ge=0, le=100)
    affected_what: str | None = None
    outage: bool = False
    degraded: bool = False
    revenue: bool = False
    revenue_stopped: bool = False
    minor: bool = False
    few: bool = False
    harmless: bool = False
    core_well: bool = False
    contained: bool = False
    cosmetic: bool = False
    confirmed_compromise: bool = False
    data_accessed: bool = False
    non_production: bool = False
    noise: bool = False
    facts: tuple[str, ...] = ()


NONE_FITS = "unclear-failure"
"""The general runbook, for when no other fits."""
FALSE_ALARM = "false-alarm"
"""The general runbook of tests, drills and false alarms."""
GENERAL = frozenset({NONE_FITS, FALSE_ALARM})


class RunbookCandidate(Value):
    """A runbook that may fit, best first. `score` is 0 to 1; `reasons` quote what matched."""

    runbook_id: str
    score: float = Field(ge=0, le=1)
    reasons: tuple[str, ...] = ()


class Triage(Value):
    """Type, severity, service and runbooks of an alert, each with its reasons.

    `confidence` is the calibrated probability (0 to 1) that `type` is right.
    `service` is a name of the catalogue, or what the alert calls it when the catalogue has none.
    `noise` means a test, a drill or a false alarm: nothing is to be repaired.
    `fallback_reason` says why a model that was asked did not make the answer.
    """

    type: IncidentType
    severity: Severity
    service: str | None = None
    environment: Environment = Environment.PRODUCTION
    runbooks: tuple[RunbookCandidate, ...] = ()
    confidence: float = Field(ge=0, le=1)
    impact: Impact = Impact()
    noise: bool = False
    why: tuple[str, ...] = ()
    engine: str = FLOOR
    fallback_reason: str = ""

    @property
    def runbook_id(self) -> str | None:
        """The best runbook, or None when none fits; then `runbooks` holds the nearest ones."""
        best = self.runbooks[0].runbook_id if self.runbooks else None
        return None if best == NONE_FITS else best

    @property
    def topic_id(self) -> str | None:
        """The runbook of what the alert is about, also when it is a drill or a false alarm."""
        specific = (c.runbook_id for c in self.runbooks if c.runbook_id not in GENERAL)
        return next(specific, None) if self.noise and len(self.runbooks) > 1 else self.runbook_id
