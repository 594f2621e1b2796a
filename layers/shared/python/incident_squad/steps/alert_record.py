"""How an alert is written down: its events, its outcome, and which news is old news."""

from datetime import datetime

from incident_squad.domain.alert import Alert, AlertStatus
from incident_squad.domain.incident import Incident
from incident_squad.domain.outcome import Outcome, OutcomeKind
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.triage import Triage
from incident_squad.domain.values import Severity

FAILING = frozenset({AlertStatus.FIRING, AlertStatus.NO_DATA})
"""States in which the alert's condition holds, or may hold."""

_TOLD = {"key", "status", "service", "resource", "severity_hint", "started_at"}


def ended(kind: OutcomeKind, incident: Incident, reason: str) -> Outcome:
    """An outcome that has to do with an incident."""
    return Outcome(outcome=kind, incident_id=incident.id, reason=reason)


def alert_entry(event: str, alert: Alert, summary: str) -> Entry:
    """An event of the timeline about an alert, told by its source."""
    return Entry(
        event=event,
        summary=summary[:2000],
        actor=Actor.system(alert.source.value),
        data=alert.model_dump(mode="json", include=_TOLD, exclude_none=True),
    )


def raised_entry(before: Severity, triage: Triage) -> Entry:
    """The event of an attached alert that is worse than its incident was thought to be."""
    return Entry(
        event="SeverityRaised",
        summary=f"{before.value} became {triage.severity.value}: an attached alert is worse",
        actor=Actor.agent("router"),
        data={"why": list(triage.why)},
        engine=triage.engine,
    )


def heard(incident: Incident) -> datetime:
    """When the incident last heard of its alerts, good to a minute."""
    return incident.last_alert_at or incident.opened_at


def overtaken(alert: Alert, known: Alert) -> bool:
    """Whether a firing alert is a late delivery from before the resolution that we know."""
    over = known.ended_at if known.status is AlertStatus.RESOLVED else None
    return bool(alert.started_at and over and alert.started_at < over)


def outlived(alert: Alert, known: Alert) -> bool:
    """Whether a resolution is a late delivery from before the alert fired again."""
    since = known.started_at if known.status in FAILING else None
    return bool(alert.ended_at and since and alert.ended_at < since)


def note_key(alert: Alert, kind: str) -> str:
    """Where news about an alert is kept: beside the alert, once an event of the source."""
    return f"{alert.key[:200]}#{alert.labels.get('event_id') or kind}"[:300]
