"""PagerDuty's webhooks, version 3: one event about one incident of theirs."""

from collections.abc import Mapping
from datetime import datetime

from incident_squad.domain.alert import Alert, AlertStatus, Source
from incident_squad.domain.errors import InvalidAlert
from incident_squad.intake import fields

_STATUS = {
    "incident.triggered": AlertStatus.FIRING,
    "incident.reopened": AlertStatus.FIRING,
    "incident.resolved": AlertStatus.RESOLVED,
}


def normalise(payload: object, received_at: datetime) -> list[Alert]:
    """One alert for an event about an incident, none for other events; raises InvalidAlert.

    All that happens to a known incident besides firing and resolving (acknowledged, annotated,
    escalated, priority_updated, ...) has the status `information`.
    """
    event = fields.mapping(fields.mapping(payload).get("event"))
    kind = fields.first(event, "event_type", limit=100)
    if not kind:
        raise InvalidAlert("a PagerDuty webhook needs event.event_type")
    data = fields.mapping(event.get("data"))
    incident = data if _is_incident(data) else fields.mapping(data.get("incident"))
    if not fields.first(incident, "id", limit=100):
        if kind in _STATUS:
            raise InvalidAlert("a PagerDuty incident event needs event.data.id")
        return []
    if not kind.startswith("incident."):
        return []
    return [_alert(kind, event, incident, received_at)]


def _is_incident(data: Mapping[str, object]) -> bool:
    said = fields.first(data, "type")
    return said in ("incident", "incident_reference") or (
        not said and not fields.mapping(data.get("incident"))
    )


def _alert(
    kind: str, event: Mapping[str, object], incident: Mapping[str, object], at: datetime
) -> Alert:
    status = _STATUS.get(kind, AlertStatus.INFORMATION)
    title = fields.first(incident, "title", "summary", "description")
    service = fields.mapping(incident.get("service"))
    return Alert(
        source=Source.PAGERDUTY,
        key="pagerduty:" + fields.first(incident, "id", limit=100),
        status=status,
        title=title or "PagerDuty incident without a title",
        description=_description(event, incident, title),
        service=fields.first(service, "summary", "name", limit=200) or None,
        environment=fields.environment(service.get("summary")) or fields.environment_in(title),
        severity_hint=_priority(incident) or fields.first(incident, "urgency", limit=100) or None,
        labels=fields.labels(_facts(kind, event, incident), _custom(incident)),
        links=fields.links(incident.get("html_url"), event.get("client_url"), _client(event)),
        started_at=_started(kind, event, incident),
        ended_at=fields.moment(event.get("occurred_at"))
        if status is AlertStatus.RESOLVED
        else None,
        received_at=at,
    )


def _started(
    kind: str, event: Mapping[str, object], incident: Mapping[str, object]
) -> datetime | None:
    occurred = fields.moment(event.get("occurred_at"))
    if kind == "incident.reopened":
        return occurred
    return fields.moment(incident.get("created_at")) or occurred


def _priority(incident: Mapping[str, object]) -> str:
    priority = incident.get("priority")
    named = fields.mapping(priority)
    return fields.first(named, "summary", "name", limit=100) or fields.text(priority, 100)


def _client(event: Mapping[str, object]) -> str:
    return fields.first(fields.mapping(event.get("client")), "url", "html_url", limit=2000)


def _description(event: Mapping[str, object], incident: Mapping[str, object], title: str) -> str:
    data, body = fields.mapping(event.get("data")), fields.mapping(incident.get("body"))
    parts = [
        fields.text(value, 6000)
        for value in (
            incident.get("description"),
            body.get("details"),
            data.get("content"),
            data.get("message"),
            incident.get("resolve_reason"),
        )
    ]
    return "\n".join(dict.fromkeys(part for part in parts if part and part != title))[:20_000]


def _facts(
    kind: str, event: Mapping[str, object], incident: Mapping[str, object]
) -> dict[str, object]:
    agent = fields.mapping(event.get("agent"))
    return {
        "event_type": kind,
        "event_id": event.get("id"),
        "agent": fields.first(agent, "summary", "id"),
        "client": fields.first(fields.mapping(event.get("client")), "name"),
        "urgency": incident.get("urgency"),
        "priority": _priority(incident),
        "status": incident.get("status"),
        "number": incident.get("number"),
        "incident_key": incident.get("incident_key"),
        "escalation_policy": fields.first(
            fields.mapping(incident.get("escalation_policy")), "summary"
        ),
        "teams": _names(incident.get("teams")),
        "assignees": _names(incident.get("assignees")),
        "incident_type": fields.first(fields.mapping(incident.get("incident_type")), "name"),
    }


def _names(value: object) -> str:
    names = (fields.first(fields.mapping(entry), "summary", limit=100) for entry in _few(value))
    return ", ".join(name for name in names if name)


def _few(value: object) -> list[object]:
    return fields.items(value)[:20]


def _custom(incident: Mapping[str, object]) -> dict[str, object]:
    """Details that integrations add, in the places where PagerDuty puts them."""
    details = fields.mapping(fields.mapping(incident.get("body")).get("details"))
    custom = fields.mapping(incident.get("custom_details"))
    extra = fields.pairs(fields.items(incident.get("custom_fields")), "name", "value")
    return {**details, **custom, **extra}
