"""Plain JSON: `{"alert": "text"}` is enough.

Optional fields: `title`, `description`, `service`, `resource`, `environment`, `severity`, `metric`,
`status` (firing, resolved, no_data, information), `key` (the same key is the same alert),
`startedAt`, `endedAt` (ISO 8601 or epoch), `links` (list), `labels` or `tags`
(object, or list of `name:value`). Also read: the fields of PagerDuty's Events API v2
(`event_action`, `dedup_key`, `payload.summary`, ...), because many tools send them.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from incident_squad.domain.alert import Alert, AlertStatus, Source
from incident_squad.domain.errors import InvalidAlert
from incident_squad.domain.values import Environment
from incident_squad.intake import fields

_TEXTS = ("alert", "description", "message", "text", "details", "body", "summary")
_TITLES = ("title", "summary", "name", "alertname", "subject")
_KEYS = ("key", "dedupKey", "dedup_key", "fingerprint", "alertId", "alert_id", "id")
_STATUS = {
    "resolved": AlertStatus.RESOLVED,
    "resolve": AlertStatus.RESOLVED,
    "recovered": AlertStatus.RESOLVED,
    "ok": AlertStatus.RESOLVED,
    "closed": AlertStatus.RESOLVED,
    "no_data": AlertStatus.NO_DATA,
    "nodata": AlertStatus.NO_DATA,
    "information": AlertStatus.INFORMATION,
    "acknowledge": AlertStatus.INFORMATION,
    "acknowledged": AlertStatus.INFORMATION,
}
_SERVICE = re.compile(r"\bservice\s*[:=]\s*([A-Za-z0-9][\w.-]{0,99})", re.IGNORECASE)
_STARTED = re.compile(
    r"\bstarted\s*:?\s*(?:about\s+)?(\d{1,4})\s*(s|m|h)[a-z]*\s+ago", re.IGNORECASE
)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}
_SENTENCE = re.compile(r".{10,200}?[.!?](?=\s|$)")


def normalise(payload: object, received_at: datetime) -> list[Alert]:
    """One alert; raises InvalidAlert when nothing in the payload says what is wrong."""
    body = _merged(fields.mapping(payload))
    said = fields.first(body, *_TEXTS, limit=20_000)
    title = fields.first(body, *_TITLES) or _headline(said)
    if not title:
        raise InvalidAlert('an alert needs a text: {"alert": "what is wrong"}')
    status = _STATUS.get(
        fields.first(body, "status", "state", "event_action", "eventAction").lower(),
        AlertStatus.FIRING,
    )
    marks = _labels(body)
    return [
        Alert(
            source=Source.GENERIC,
            key=_key(body, title, said),
            status=status,
            title=title,
            description="" if said == title else said,
            service=_service(body, marks, said),
            resource=fields.first(body, "resource", "host", "instance", "source", limit=500)
            or None,
            environment=_environment(body, marks, title),
            severity_hint=fields.first(body, "severity", "priority", "level", limit=100) or None,
            metric=fields.first(body, "metric", limit=500) or None,
            labels=marks,
            links=_links(body),
            started_at=_started(body, said, received_at),
            ended_at=_when(body, "endedAt", "ended_at") if status is AlertStatus.RESOLVED else None,
            received_at=received_at,
        )
    ]


def _merged(body: Mapping[str, object]) -> Mapping[str, object]:
    """Put the fields of a nested `alert` or `payload` object beside the others, which win."""
    inner = fields.mapping(body.get("alert")) or fields.mapping(body.get("payload"))
    outer = {name: value for name, value in body.items() if value is not inner or not inner}
    return {**inner, **outer}


def _headline(said: str) -> str:
    line = said.split("\n", 1)[0].strip()
    sentence = _SENTENCE.match(line)
    return (sentence.group() if sentence else line)[:200]


def _key(body: Mapping[str, object], title: str, said: str) -> str:
    given = fields.first(body, *_KEYS, limit=250)
    return "generic:" + (given or fields.fingerprint(title, said))


def _labels(body: Mapping[str, object]) -> dict[str, str]:
    tags = [fields.text(tag, 500).partition(":") for tag in fields.items(body.get("tags"))]
    return fields.labels(
        fields.mapping(body.get("labels")),
        fields.mapping(body.get("tags")),
        fields.mapping(body.get("custom_details")),
        {name: value or "true" for name, _, value in tags},
        {name: body.get(name) for name in ("component", "group", "class", "region", "client")},
    )


def _service(body: Mapping[str, object], marks: Mapping[str, str], said: str) -> str | None:
    named = fields.first(body, "service", "component", limit=200) or marks.get("service", "")[:200]
    if named:
        return named
    found = _SERVICE.search(said)
    return found.group(1).rstrip(".-_") if found else None


def _environment(
    body: Mapping[str, object], marks: Mapping[str, str], title: str
) -> Environment | None:
    return fields.environment(
        body.get("environment"), body.get("env"), marks.get("environment"), marks.get("env")
    ) or fields.environment_in(title)


def _links(body: Mapping[str, object]) -> tuple[str, ...]:
    given = fields.items(body.get("links"))
    inner = [fields.mapping(entry).get("href") for entry in given]
    return fields.links(*given, *inner, body.get("link"), body.get("url"), body.get("client_url"))


def _when(body: Mapping[str, object], *names: str) -> datetime | None:
    return fields.moment(fields.first(body, *names))


def _started(body: Mapping[str, object], said: str, received_at: datetime) -> datetime | None:
    given = _when(body, "startedAt", "started_at", "timestamp", "time", "date")
    if given:
        return given
    ago = _STARTED.search(said)
    if not ago:
        return None
    return received_at - timedelta(**{_UNITS[ago.group(2).lower()]: int(ago.group(1))})
