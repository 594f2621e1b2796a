"""Datadog's webhooks: the body is whatever template the customer wrote, so names are guessed.

The template that ships in `events/datadog/template.json` is understood fully.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import unquote

from incident_squad.domain.alert import Alert, AlertStatus, Source
from incident_squad.domain.errors import InvalidAlert
from incident_squad.domain.values import Environment
from incident_squad.intake import fields

_TITLES = ("alert_title", "event_title", "title", "monitor_name", "alert_name", "name", "subject")
_TEXTS = ("text_only_msg", "event_msg", "event_text", "body", "message", "msg", "alert_message")
_MORE_TEXTS = ("description", "text", "alert_text", "details", "alert_body", "alert")
_TRANSITIONS = ("alert_transition", "transition", "alert_state", "state", "status")
_CYCLES = ("alert_cycle_key", "cycle_key", "dedup_key", "aggreg_key", "aggregation_key")
_MONITORS = ("alert_id", "monitor_id", "monitorid")
_SCOPES = ("alert_scope", "scope", "scopes", "alert_scopes")
_PRIORITIES = ("alert_priority", "priority", "severity", "event_priority")
_WHEN = ("date", "alert_date", "event_date", "last_updated", "timestamp", "event_last_updated")
_SERVICE_TAGS = ("service", "app", "kube_deployment", "application", "servicename")
_RESOURCE_TAGS = [
    "host",
    "pod_name",
    "database_instance",
    "dbinstanceidentifier",
    "dbclusteridentifier",
    "clustername",
    "instance",
    "container_name",
    "upstream",
    "functionname",
    "queuename",
    "resource",
    "name",
    "url",
]
_PREFIX = re.compile(
    r"^\s*\[(re-?triggered|triggered|warn|re-?warn|recovered|warn recovered|no data|re-?no data"
    r"|renotify|monitor alert|alert|ok)(?: on [^\]]{0,300})?\]\s*",
    re.IGNORECASE,
)
_MONITOR = re.compile(r"/monitors/(\d{1,30})(?:[?#][^\s)\]]*?group=([^\s)\]&]{0,300}))?")
_FOOTER = re.compile(r"\n\s*- - -\s*\n\s*\[\[.*\Z", re.DOTALL)
_METRIC = re.compile(r"\b(?:avg|sum|min|max|count|p\d\d):([A-Za-z][\w.]{2,200})\{")
_QUERY_SERVICE = re.compile(r"\bservice:([\w.-]{1,100})")
_VARIABLE = re.compile(r"\$[A-Z_][A-Z_0-9]*(?:\[[^\]]*\])?")


def normalise(payload: object, received_at: datetime) -> list[Alert]:
    """One alert; raises InvalidAlert when neither a title nor a text is found."""
    body = _flat(fields.mapping(payload))
    shown = fields.first(body, *_TITLES)
    raw = fields.first(body, *_TEXTS, *_MORE_TEXTS, limit=30_000)
    title = _PREFIX.sub("", shown) or _first_line(raw)
    if not title:
        raise InvalidAlert("a Datadog webhook needs a title or a message in its template")
    status = _status(body, shown)
    marks = _labels(body)
    when = fields.moment(fields.first(body, *_WHEN))
    return [
        Alert(
            source=Source.DATADOG,
            key=_key(body, title, raw),
            status=status,
            title=title,
            description=_clean(raw),
            service=_service(body, marks),
            resource=_resource(body, marks, raw),
            environment=_environment(marks, title),
            severity_hint=fields.first(body, *_PRIORITIES, "alert_type", limit=100) or None,
            metric=_metric(body, raw),
            labels=marks,
            links=_links(body, raw),
            started_at=None if status is AlertStatus.RESOLVED else when,
            ended_at=when if status is AlertStatus.RESOLVED else None,
            received_at=received_at,
        )
    ]


def _flat(payload: Mapping[str, object]) -> dict[str, object]:
    """Names in lower snake case, nested objects as `outer_inner`, unknown variables dropped."""
    flat: dict[str, object] = {}
    for name, value in payload.items():
        inner = fields.mapping(value)
        for deeper, said in inner.items() if inner else (("", value),):
            whole = f"{_snake(name)}_{_snake(deeper)}" if deeper else _snake(name)
            unknown = isinstance(said, str) and _VARIABLE.fullmatch(said.strip())
            if not unknown:
                flat.setdefault(whole, said)
    return flat


def _snake(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name[:100])
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _status(body: Mapping[str, object], title: str) -> AlertStatus:
    prefix = _PREFIX.match(title)
    said = fields.first(body, *_TRANSITIONS).lower() or (prefix.group(1).lower() if prefix else "")
    if "recover" in said or said in ("ok", "resolved", "success"):
        return AlertStatus.RESOLVED
    if "no data" in said or "no_data" in said:
        return AlertStatus.NO_DATA
    if not said and fields.first(body, "alert_type", "type").lower() == "success":
        return AlertStatus.RESOLVED
    return AlertStatus.FIRING


def _key(body: Mapping[str, object], title: str, raw: str) -> str:
    """The same for trigger and recovery: an event's own id is not, so it never counts."""
    cycle = fields.first(body, *_CYCLES, limit=200)
    if cycle:
        return f"datadog:{cycle}"
    scope = fields.first(body, *_SCOPES, limit=1000)
    monitor, group = _monitor(fields.first(body, "link", "url", limit=2000) + "\n" + raw)
    number = fields.first(body, *_MONITORS, limit=60) or monitor
    if number:
        part = scope or group or fields.first(body, "hostname", "host")
        return f"datadog:{number}" + (f":{fields.fingerprint(part)[:16]}" if part else "")
    return "datadog:" + fields.fingerprint(title, scope)


def _monitor(said: str) -> tuple[str, str]:
    found = _MONITOR.search(said)
    return (found.group(1), unquote(found.group(2) or "")) if found else ("", "")


def _labels(body: Mapping[str, object]) -> dict[str, str]:
    tags = [*_split(body.get("tags")), *_split(body.get("alert_tags"))]
    scope = [tag for name in _SCOPES for tag in _split(body.get(name))]
    named = dict(tag for tag in (*scope, *tags) if tag[1])
    bare = ", ".join(name for name, value in tags if not value)
    _, group = _monitor(fields.first(body, *_TEXTS, limit=30_000))
    told = (
        "alert_transition alert_type alert_status alert_priority alert_query event_type monitor_id"
        " alert_id org_name logs_sample user incident_title incident_severity"
    )
    return fields.labels(
        named,
        dict(_split(group)),
        {"tags": bare, **{name: body.get(name) for name in told.split()}},
    )


def _split(value: object) -> list[tuple[str, str]]:
    """`a:b,c` or a list of them as pairs; a bare tag has no value."""
    said = fields.text(value, 10_000)
    parts = said.split(",") if said else [fields.text(tag) for tag in fields.items(value)]
    found = (part.strip().partition(":") for part in parts if part.strip() not in ("", "*"))
    return [(name.strip(), rest.strip()) for name, _, rest in found]


def _service(body: Mapping[str, object], marks: Mapping[str, str]) -> str | None:
    named = fields.first(body, "service", "service_name", limit=200) or fields.first(
        marks, *_SERVICE_TAGS, limit=200
    )
    if named:
        return named
    query = fields.first(body, "alert_query", "query", limit=4000)
    said = query + "\n" + fields.first(body, *_TEXTS, limit=10_000)
    found = _QUERY_SERVICE.search(said)
    return found.group(1) if found else None


def _resource(body: Mapping[str, object], marks: Mapping[str, str], raw: str) -> str | None:
    named = fields.first(body, "hostname", "host", limit=500)
    group = dict(_split(_monitor(raw)[1]))
    return named or fields.first({**marks, **group}, *_RESOURCE_TAGS, limit=500) or None


def _environment(marks: Mapping[str, str], title: str) -> Environment | None:
    told = (marks.get(name) for name in ("env", "environment", "stage"))
    return fields.environment(*told) or fields.environment_in(title)


def _metric(body: Mapping[str, object], raw: str) -> str | None:
    named = fields.first(body, "alert_metric", "metric", "metric_name", limit=500)
    if named:
        return named
    query = fields.first(body, "alert_query", "query", limit=4000)
    found = _METRIC.search(query) or _METRIC.search(raw)
    return found.group(1) if found else None


def _clean(raw: str) -> str:
    """The message without Datadog's Markdown fence and its footer of links."""
    return _FOOTER.sub("", raw.replace("%%%", "")).strip()[:20_000]


def _first_line(raw: str) -> str:
    return next((line.strip() for line in _clean(raw).split("\n") if line.strip()), "")[:200]


def _links(body: Mapping[str, object], raw: str) -> tuple[str, ...]:
    named = (body.get(name) for name in ("link", "url", "alert_url", "event_url", "snapshot"))
    return fields.links(*named, *(body.get(n) for n in ("runbook", "image")), *fields.links_in(raw))
