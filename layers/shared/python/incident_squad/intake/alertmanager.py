"""Alertmanager's webhook (version 4): one group of alerts, firing and resolved mixed."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from incident_squad.domain.alert import Alert, AlertStatus, Source
from incident_squad.domain.errors import InvalidAlert
from incident_squad.intake import fields

_SERVICE = ("service", "service_name", "app", "application", "app_kubernetes_io_name")
_WORKLOAD = ("deployment", "statefulset", "daemonset", "container", "job_name", "job")
_SCRAPERS = ("exporter", "kube-state-metrics", "kubelet", "cadvisor", "prometheus", "blackbox")
# Jobs that name the software which is scraped, not a service of the customer.
_SOFTWARE = frozenset({"node", "mysqld", "mysql", "postgres", "postgresql", "redis", "nginx"})
_RESOURCE = [
    "pod",
    "pod_name",
    "node",
    "nodename",
    "host",
    "hostname",
    "server",
    "target",
    "cluster_name",
    "database",
    "datname",
    "queue",
    "persistentvolumeclaim",
    "mountpoint",
    "instance",
]
_ENVIRONMENT = ("env", "environment", "deployment_environment", "stage", "namespace")
_TEXTS = ("description", "message", "details", "impact", "action", "runbook")


def normalise(payload: object, received_at: datetime) -> list[Alert]:
    """One alert of ours for each alert of the group; raises InvalidAlert.

    Alertmanager's fingerprint is the hash of the labels, so the key stays the same whichever
    group, receiver or Alertmanager of a cluster sends it.
    """
    group = fields.mapping(payload)
    if not isinstance(group.get("alerts"), list):
        raise InvalidAlert("an Alertmanager message needs a list of alerts")
    return [
        _alert(fields.mapping(entry), group, received_at) for entry in fields.items(group["alerts"])
    ]


def _alert(entry: Mapping[str, object], group: Mapping[str, object], at: datetime) -> Alert:
    marks = fields.mapping(entry.get("labels"))
    notes = fields.mapping(entry.get("annotations"))
    if not marks and not notes:
        raise InvalidAlert("an alert of an Alertmanager message needs labels or annotations")
    status = _status(entry, group)
    return Alert(
        source=Source.ALERTMANAGER,
        key=_key(entry, marks),
        status=status,
        title=_title(marks, notes),
        description=_description(notes),
        service=_service(marks),
        resource=fields.first(marks, *_RESOURCE, limit=500) or None,
        environment=fields.environment(*(marks.get(name) for name in _ENVIRONMENT)),
        severity_hint=fields.first(marks, "severity", "priority", "level", limit=100) or None,
        labels=fields.labels(marks, _extra(entry, group, notes)),
        links=_links(entry, group, notes),
        started_at=fields.moment(entry.get("startsAt")),
        ended_at=fields.moment(entry.get("endsAt")) if status is AlertStatus.RESOLVED else None,
        received_at=at,
    )


def _status(entry: Mapping[str, object], group: Mapping[str, object]) -> AlertStatus:
    said = fields.first(entry, "status") or fields.first(group, "status")
    return AlertStatus.RESOLVED if said.lower() == "resolved" else AlertStatus.FIRING


def _key(entry: Mapping[str, object], marks: Mapping[str, object]) -> str:
    given = fields.first(entry, "fingerprint", limit=200)
    named = sorted(fields.labels(marks).items())
    return "alertmanager:" + (given or fields.fingerprint(*(f"{k}={v}" for k, v in named)))


def _title(marks: Mapping[str, object], notes: Mapping[str, object]) -> str:
    said = fields.first(notes, "summary", "title") or fields.first(marks, "alertname")
    return said or fields.first(notes, *_TEXTS) or "Alert without a name"


def _description(notes: Mapping[str, object]) -> str:
    said = (fields.text(notes.get(name), 8000) for name in _TEXTS)
    return "\n".join(part for part in said if part)[:20_000]


def _service(marks: Mapping[str, object]) -> str | None:
    for name in (*_SERVICE, *_WORKLOAD):
        said = fields.text(marks.get(name), 200)
        named = said.lower()
        scraper = named in _SOFTWARE or any(word in named for word in _SCRAPERS)
        if said and not (scraper and name in ("service", *_WORKLOAD)):
            return said
    return None


def _extra(
    entry: Mapping[str, object], group: Mapping[str, object], notes: Mapping[str, object]
) -> dict[str, object]:
    """What labels don't say: the rule's expression, other annotations, cut groups."""
    expression = _expression(fields.text(entry.get("generatorURL"), 4000))
    named = fields.first(fields.mapping(entry.get("labels")), "alertname")
    told = {"summary", "title", *_TEXTS}
    return {
        "expression": "" if expression == named else expression,
        **{name: value for name, value in notes.items() if name not in told},
        "truncated_alerts": group.get("truncatedAlerts") or None,
    }


def _expression(generator: str) -> str:
    try:
        return parse_qs(urlsplit(generator).query).get("g0.expr", [""])[0]
    except ValueError:
        return ""


def _links(
    entry: Mapping[str, object], group: Mapping[str, object], notes: Mapping[str, object]
) -> tuple[str, ...]:
    named = (value for name, value in notes.items() if name.endswith(("url", "URL", "link")))
    return fields.links(*named, entry.get("generatorURL"), group.get("externalURL"))
