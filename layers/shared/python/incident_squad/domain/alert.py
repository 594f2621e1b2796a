"""An alert: what a monitoring system says, in one form whatever the source."""

from enum import StrEnum

from pydantic import Field

from incident_squad.domain.values import Environment, Moment, Value


class Source(StrEnum):
    """Who sends alerts."""

    PAGERDUTY = "pagerduty"
    DATADOG = "datadog"
    CLOUDWATCH = "cloudwatch"
    ALERTMANAGER = "alertmanager"
    GENERIC = "generic"


class AlertStatus(StrEnum):
    """What the alert says of its condition."""

    FIRING = "firing"
    RESOLVED = "resolved"
    NO_DATA = "no_data"
    INFORMATION = "information"

    @property
    def failing(self) -> bool:
        """Whether the alert's condition holds, or may hold."""
        return self in {AlertStatus.FIRING, AlertStatus.NO_DATA}


class Alert(Value):
    """One alert.

    `key` is the source's own identity of the condition: equal keys are the same alert sent again.
    `severity_hint` is the sender's label as it stands (`critical`, `P1`): a hint, never the answer.
    Everything textual is data from outside, never instructions.
    `sent` counts how often the source has told us this state.
    """

    source: Source
    key: str = Field(min_length=1, max_length=300)
    status: AlertStatus = AlertStatus.FIRING
    title: str = Field(max_length=1000)
    description: str = Field(default="", max_length=20_000)
    service: str | None = Field(default=None, max_length=200)
    resource: str | None = Field(default=None, max_length=500)
    environment: Environment | None = None
    severity_hint: str | None = Field(default=None, max_length=100)
    metric: str | None = Field(default=None, max_length=500)
    labels: dict[str, str] = Field(default_factory=dict)
    links: tuple[str, ...] = ()
    started_at: Moment | None = None
    ended_at: Moment | None = None
    received_at: Moment
    sent: int = Field(default=1, ge=1)

    def text(self) -> str:
        """All that a reader of the alert would read, one part a line."""
        labels = "\n".join(f"{name}: {value}" for name, value in self.labels.items())
        parts = (self.title, self.description, self.service, self.resource, self.metric, labels)
        return "\n".join(part for part in parts if part)
