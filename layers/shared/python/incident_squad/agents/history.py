"""The incident's story in a few lines, for messages between colleagues."""

from incident_squad.domain.alert import Alert
from incident_squad.domain.record import IncidentRecord
from incident_squad.domain.timeline import TimelineEvent
from incident_squad.domain.values import Moment, Value

_TOO_FINE = {
    "Observed",
    "MetricsQueried",
    "UpdateDrafted",
    "DraftWritten",
    "DraftWithdrawn",
    "InvestigationStarted",
    "ApproversAsked",
    "StepStarted",
    "WorkflowStarted",
    "AlertReceived",
    "IncidentOpened",
}
_LINES = 8


class Line(Value):
    """One line: when, and what in a few words."""

    at: Moment
    text: str


def history(record: IncidentRecord) -> tuple[Line, ...]:
    """Alert received, triaged, and the latest events after that."""
    incident = record.incident
    source = record.alert.source.value if record.alert else incident.source
    first = Line(at=incident.opened_at, text=f"alert received from {source}")
    told = [event for event in record.events if event.event not in _TOO_FINE]
    triaged = [_line(event) for event in told if event.event == "Triaged"][:1]
    rest = [_line(event) for event in told if event.event != "Triaged"]
    if not triaged and incident.triage is not None:
        kind = incident.triage.type.value
        text = f"triaged as {kind}, routed to the {kind} specialist"
        triaged = [Line(at=incident.opened_at, text=text)]
    return (first, *triaged, *rest[-_LINES:])


def one_line(text: str, length: int) -> str:
    """The text on one line, shortened with an ellipsis: what comes from outside forges no lines."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def first_sentence(text: str, length: int) -> str:
    """The first sentence on one line: alerts often put everything into their title."""
    return one_line(one_line(text, 1000).split(". ")[0], length)


def alert_text(alert: Alert | None, title: str) -> str:
    """The alert's own words, once each: title, description, where, metric."""
    if alert is None:
        return title
    parts = [alert.title]
    parts += [alert.description] if alert.description.strip() != alert.title.strip() else []
    parts += [f"resource: {alert.resource}"] if alert.resource else []
    parts += [f"metric: {alert.metric}"] if alert.metric else []
    parts += [f"{name}: {value}" for name, value in list(alert.labels.items())[:12]]
    known: list[str] = []
    for part in (one_line(part, 1500) for part in parts):
        if part and not any(part in said for said in known):
            known.append(part)
    return one_line(" | ".join(known), 2500)


def _line(event: TimelineEvent) -> Line:
    text = f"triaged as {event.summary}" if event.event == "Triaged" else event.summary
    return Line(at=event.at, text=one_line(text, 200))
