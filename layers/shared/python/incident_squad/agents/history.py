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
    """What the alert says in words, and where; its labels are on the incident's page."""
    if alert is None:
        return title
    told = one_line(alert.description, 400) or one_line(alert.title, 400)
    where = [alert.resource] if alert.resource and alert.resource not in told else []
    return " | ".join([told, *where, *([alert.metric] if alert.metric else [])])


def explanation(root_cause: str) -> str:
    """A root cause without the words that say how sure it is: templates say that themselves."""
    for words in ("Inconclusive so far. The alert points to: ", "Inconclusive: "):
        root_cause = root_cause.removeprefix(words)
    return root_cause.removesuffix(" No check could confirm it.")


def _line(event: TimelineEvent) -> Line:
    text = f"triaged as {event.summary}" if event.event == "Triaged" else event.summary
    return Line(at=event.at, text=one_line(text, 200))
