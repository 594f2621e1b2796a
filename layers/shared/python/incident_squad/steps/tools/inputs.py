"""What each tool takes. Names and defaults are the interface: clients and models rely on them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictInt

from incident_squad.contracts import Contract
from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.values import Environment, IncidentType, Severity

IncidentId = Annotated[
    str,
    Field(
        pattern=r"^INC-\d{8}-[0-9A-HJKMNP-TV-Z]{5,8}$",
        description="An incident's id, such as INC-20261122-7F3KQ",
    ),
]
RunbookId = Annotated[
    str, Field(max_length=64, description="A runbook's name, as list_runbooks gives it")
]
ServiceName = Annotated[
    str, Field(max_length=200, description="A service of the catalogue, or one of its aliases")
]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]


class TimeRange(Contract):
    """A span of time."""

    start: datetime = Field(description="ISO 8601 with a time zone")
    end: datetime = Field(description="ISO 8601 with a time zone")


class QueryMetricsInput(Contract):
    """A question to a metric source."""

    source: Literal["datadog", "cloudwatch", "prometheus", "pagerduty"]
    query: str = Field(
        min_length=1,
        max_length=4000,
        description="In the source's own language: avg:system.cpu.user{service:api} last_15m",
    )
    time_range: TimeRange | None = Field(
        default=None, description="From start to end; without it, the last 15 minutes"
    )
    aggregation: Literal["avg", "max", "min", "sum", "count"] = "avg"


class ExecuteRunbookInput(Contract):
    """One step of a runbook, to be previewed or done."""

    runbook_id: RunbookId
    step_index: StrictInt = Field(ge=0, le=99, description="The step, counted from 0")
    target_environment: Environment
    dry_run: StrictBool = Field(
        default=True, description="True: show what the step would do and change nothing"
    )
    approved_by: Email | None = Field(
        default=None,
        description="E-mail address of who approved the plan. Needed for SEV1 and SEV2 in "
        "production, and compared with the stored approval",
    )
    incident_id: IncidentId | None = Field(
        default=None,
        description="The incident whose plan is meant; without it, the only open one whose plan "
        "holds this step",
    )
    service: ServiceName | None = Field(
        default=None, description="For a dry run without an incident: the service to look at"
    )


class ListIncidentsInput(Contract):
    """Filters; all of them must hold."""

    status: IncidentStatus | Literal["open"] | None = None
    severity: Severity | None = None
    type: IncidentType | None = None
    service: ServiceName | None = None
    first_day: str | None = Field(
        default=None, alias="from", pattern=r"^\d{4}-\d{2}-\d{2}$", description="YYYY-MM-DD"
    )
    last_day: str | None = Field(
        default=None, alias="to", pattern=r"^\d{4}-\d{2}-\d{2}$", description="YYYY-MM-DD"
    )
    limit: StrictInt = Field(default=20, ge=1, le=100)
    next: str | None = Field(
        default=None, max_length=2000, description="The cursor that the page before gave"
    )


class IncidentInput(Contract):
    """Which incident."""

    incident_id: IncidentId


class TimelineInput(Contract):
    """Which incident, and from where on."""

    incident_id: IncidentId
    after: StrictInt = Field(default=0, ge=0, description="Only events after this number")


class ListRunbooksInput(Contract):
    """Filters of the library."""

    type: IncidentType | None = None


class GetRunbookInput(Contract):
    """Which runbook."""

    runbook_id: RunbookId


class TriageAlertInput(Contract):
    """An alert to be judged."""

    alert: str | dict[str, Any] = Field(
        description="The alert's text, or the JSON that a monitoring system would send"
    )


class SubmitAlertInput(Contract):
    """An alert that somebody or something saw."""

    alert: str = Field(min_length=1, max_length=20_000, description="What is wrong, in words")
    title: str | None = Field(default=None, max_length=1000)
    service: ServiceName | None = None
    severity: str | None = Field(
        default=None, max_length=100, description="A hint, such as critical or P2"
    )
    environment: Environment | None = None
    resource: str | None = Field(default=None, max_length=500, description="Host or instance")
    key: str | None = Field(
        default=None, max_length=250, description="Equal keys are the same alert sent again"
    )
    status: Literal["firing", "resolved"] = "firing"
