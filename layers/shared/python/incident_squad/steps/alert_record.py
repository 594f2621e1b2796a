"""How an alert is written down: its events, its outcome, and which news is old news."""

import re
from dataclasses import dataclass
from datetime import datetime

from incident_squad.domain.alert import Alert, AlertStatus, Source
from incident_squad.domain.incident import Incident
from incident_squad.domain.outcome import Cause, Count, Outcome, OutcomeKind
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.triage import Triage
from incident_squad.domain.values import Severity
from incident_squad.policy.escalation import on_it
from incident_squad.ports import IncidentStore, Timeline

TOLD = 20
"""So many events of a kind are told one by one; of more, the timeline tells how many there are."""

_OURS = re.compile(r"INC-[0-9]{8}-[0-9A-HJKMNP-TV-Z]{5,8}")
_TOLD_FIELDS = {"key", "status", "service", "resource", "severity_hint", "started_at"}


@dataclass(frozen=True)
class AlertLog:
    """Tells a timeline of alerts, so that a storm of 10,000 stays readable and cheap."""

    incidents: IncidentStore
    timeline: Timeline

    def tell(self, event: str, incident: Incident, alert: Alert, summary: str) -> None:
        """One event; from the 21st of a kind on, a count at 40, 80, 160 and so on."""
        number = self.incidents.number(incident.id, event)
        if number <= TOLD:
            self.timeline.append(incident.id, alert_entry(event, alert, summary))
        elif number % TOLD == 0 and (number // TOLD).bit_count() == 1:
            words = f"{number} times so far, not told one by one. The latest: {summary}"
            self.timeline.append(incident.id, alert_entry(event, alert, words))

    def begin(self, incident: Incident, alert: Alert) -> None:
        """The first event of an incident, told once."""
        if not self.timeline.read(incident.id):
            words = f"Alert received: {alert.title}"
            self.timeline.append(incident.id, alert_entry("AlertReceived", alert, words))

    def acknowledged(self, incident: Incident) -> bool:
        """Whether a human is on it since the last page."""
        return on_it(self.timeline.read(incident.id))

    def raise_to(self, incident: Incident, triage: Triage) -> None:
        """An attached alert is worse than the incident was thought to be."""
        before = incident.severity
        if self.incidents.state_severity(incident.id, triage.severity) and before:
            self.timeline.append(incident.id, raised_entry(before, triage))


def page_of(alert: Alert) -> str:
    """The incident of ours that a PagerDuty incident is the page of; empty when it is none."""
    key = alert.labels.get("incident_key", "")
    return key if alert.source is Source.PAGERDUTY and _OURS.fullmatch(key) else ""


def ended(kind: OutcomeKind, cause: Cause, incident: Incident, reason: str) -> Outcome:
    """An outcome that has to do with an incident."""
    return Outcome(outcome=kind, incident_id=incident.id, reason=reason, cause=cause)


def one(alert: Alert, kind: OutcomeKind, cause: Cause) -> Count:
    """The count of one alert."""
    return Count(source=alert.source.value, outcome=kind, cause=cause)


def alert_entry(event: str, alert: Alert, summary: str) -> Entry:
    """An event of the timeline about an alert, told by its source."""
    return Entry(
        event=event,
        summary=summary[:2000],
        actor=Actor.system(alert.source.value),
        data=alert.model_dump(mode="json", include=_TOLD_FIELDS, exclude_none=True),
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
    since = known.started_at if known.status.failing else None
    return bool(alert.ended_at and since and alert.ended_at < since)


def note_key(alert: Alert, kind: str) -> str:
    """Where news about an alert is kept: beside the alert, once an event of the source."""
    return f"{alert.key[:200]}#{alert.labels.get('event_id') or kind}"[:300]


def over_key(key: str) -> str:
    """Where it is remembered when an alert's condition last ended."""
    return f"over:{key}"


def leading_alert(incidents: IncidentStore, incident: Incident) -> Alert:
    """The alert that the squad works from: the opening one, or the first that names a cause."""
    lead = incident.lead_key
    if lead is None or lead == incident.opening_key:
        return opening_alert(incidents, incident)
    return incidents.alert(incident.id, lead) or opening_alert(incidents, incident)


def opening_alert(incidents: IncidentStore, incident: Incident) -> Alert:
    """The alert that opened an incident, without reading a whole storm."""
    known = incidents.alert(incident.id, incident.opening_key) if incident.opening_key else None
    return known or incidents.alerts(incident.id)[0]
