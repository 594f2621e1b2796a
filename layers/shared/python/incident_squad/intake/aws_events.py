"""EventBridge events that are no alarms: GuardDuty, Health, Security Hub and any other."""

from collections.abc import Mapping
from datetime import datetime

from incident_squad.domain.alert import Alert, AlertStatus, Source
from incident_squad.domain.errors import InvalidAlert
from incident_squad.intake import fields

_CLOSED = frozenset({"RESOLVED", "SUPPRESSED"})
_MAX_DEPTH = 6
_RESOURCE_NAMES = [
    "instanceId",
    "userName",
    "functionName",
    "name",
    "dbInstanceIdentifier",
    "dbClusterIdentifier",
    "accessKeyId",
    "arn",
]


def normalise(event: Mapping[str, object], at: datetime) -> list[Alert]:
    """The alerts of an EventBridge event; raises InvalidAlert when it says nothing."""
    source = fields.first(event, "source")
    detail = fields.mapping(event.get("detail"))
    if source == "aws.guardduty" and detail:
        return [_guardduty(event, detail, at)]
    if source == "aws.health" and detail:
        return [_health(event, detail, at)]
    if source == "aws.securityhub" and fields.items(detail.get("findings")):
        found = (fields.mapping(entry) for entry in fields.items(detail["findings"]))
        return [_security_hub(event, finding, at) for finding in found if finding]
    return [_any(event, detail, at)]


def _guardduty(event: Mapping[str, object], detail: Mapping[str, object], at: datetime) -> Alert:
    kind = fields.first(detail, "type", limit=300)
    service = fields.mapping(detail.get("service"))
    resource = fields.mapping(detail.get("resource"))
    archived = service.get("archived") is True
    return Alert(
        source=Source.CLOUDWATCH,
        key="cloudwatch:" + (fields.first(detail, "arn", "id", limit=280) or _identity(event)),
        status=AlertStatus.RESOLVED if archived else AlertStatus.FIRING,
        title=fields.first(detail, "title") or kind or "GuardDuty finding",
        description=fields.first(detail, "description", limit=8000),
        resource=_first_leaf(resource, _RESOURCE_NAMES),
        environment=fields.environment(*_tag_values(resource)),
        severity_hint=fields.first(detail, "severity", limit=100) or None,
        labels=fields.labels(
            {"finding_type": kind, "severity": detail.get("severity")},
            _base(event),
            leaves(fields.mapping(service.get("action"))),
            leaves({"count": service.get("count"), "evidence": service.get("evidence")}),
            leaves(resource),
        ),
        started_at=fields.moment(service.get("eventFirstSeen"))
        or fields.moment(detail.get("createdAt")),
        ended_at=fields.moment(detail.get("updatedAt")) if archived else None,
        received_at=at,
    )


def _health(event: Mapping[str, object], detail: Mapping[str, object], at: datetime) -> Alert:
    code = fields.first(detail, "eventTypeCode", limit=300)
    category, state = fields.first(detail, "eventTypeCategory"), fields.first(detail, "statusCode")
    closed = state == "closed" or (bool(fields.moment(detail.get("endTime"))) and state != "open")
    status = AlertStatus.FIRING if category == "issue" else AlertStatus.INFORMATION
    said = (
        fields.first(fields.mapping(entry), "latestDescription", limit=8000)
        for entry in fields.items(detail.get("eventDescription"))[:3]
    )
    entities = [fields.mapping(entry) for entry in fields.items(detail.get("affectedEntities"))]
    return Alert(
        source=Source.CLOUDWATCH,
        key="cloudwatch:" + (fields.first(detail, "eventArn", limit=280) or _identity(event)),
        status=AlertStatus.RESOLVED if closed else status,
        title=code or "AWS Health event",
        description="\n".join(part for part in said if part)[:20_000],
        resource=next((fields.first(e, "entityValue", limit=500) for e in entities), "") or None,
        severity_hint=category[:100] or None,
        labels=fields.labels(
            _base(event),
            {"event_type_code": code, "category": category, "status": state},
            {"aws_service": detail.get("service")},
            leaves(fields.mapping(detail.get("eventMetadata"))),
        ),
        started_at=fields.moment(detail.get("startTime")) or fields.moment(event.get("time")),
        ended_at=fields.moment(detail.get("endTime")) if closed else None,
        received_at=at,
    )


def _security_hub(
    event: Mapping[str, object], finding: Mapping[str, object], at: datetime
) -> Alert:
    severity = fields.mapping(finding.get("Severity"))
    newer = fields.mapping(finding.get("finding_info"))  # OCSF, as Security Hub's version 2 sends
    resources = [fields.mapping(r) for r in fields.items(finding.get("Resources"))]
    kinds = ", ".join(fields.text(kind, 300) for kind in fields.items(finding.get("Types"))[:5])
    key = fields.first(finding, "Id", limit=280) or fields.first(newer, "uid", limit=280)
    closed = _hub_closed(finding)
    return Alert(
        source=Source.CLOUDWATCH,
        key="cloudwatch:" + (key or _identity(event)),
        status=AlertStatus.RESOLVED if closed else AlertStatus.FIRING,
        title=fields.first(finding, "Title") or fields.first(newer, "title") or "Finding",
        description=fields.first(finding, "Description", limit=8000)
        or fields.first(newer, "desc", limit=8000),
        resource=next((fields.first(r, "Id", limit=500) for r in resources), "") or None,
        severity_hint=fields.first(severity, "Label", limit=100)
        or fields.first(finding, "severity", limit=100)
        or None,
        labels=fields.labels(
            _base(event),
            {"finding_type": kinds, "severity": severity.get("Label")},
            {"product": finding.get("ProductName"), "generator": finding.get("GeneratorId")},
            {"resource_type": next((fields.first(r, "Type") for r in resources), "")},
            leaves(fields.mapping(finding.get("Compliance"))),
            leaves(fields.mapping(finding.get("ProductFields"))),
        ),
        links=fields.links(finding.get("SourceUrl"), _remedy(finding)),
        started_at=fields.moment(finding.get("FirstObservedAt"))
        or fields.moment(finding.get("CreatedAt")),
        ended_at=fields.moment(finding.get("UpdatedAt")) if closed else None,
        received_at=at,
    )


def _hub_closed(finding: Mapping[str, object]) -> bool:
    workflow = fields.first(fields.mapping(finding.get("Workflow")), "Status")
    compliance = fields.first(fields.mapping(finding.get("Compliance")), "Status")
    archived = fields.first(finding, "RecordState") == "ARCHIVED"
    return archived or workflow in _CLOSED or compliance == "PASSED"


def _remedy(finding: Mapping[str, object]) -> object:
    remedy = fields.mapping(fields.mapping(finding.get("Remediation")).get("Recommendation"))
    return remedy.get("Url")


def _any(event: Mapping[str, object], detail: Mapping[str, object], at: datetime) -> Alert:
    kind = fields.first(event, "detail-type", limit=300)
    if not kind:
        raise InvalidAlert("an EventBridge event needs a detail-type")
    said = fields.first(detail, "message", "Message", "description", "reason", limit=8000)
    arns = fields.items(event.get("resources"))
    flat = leaves(detail)
    return Alert(
        source=Source.CLOUDWATCH,
        key="cloudwatch:" + _identity(event),
        status=AlertStatus.FIRING,
        title=fields.first(detail, "title", "Title") or f"{kind} ({fields.first(event, 'source')})",
        description=said,
        service=_service(detail),
        resource=fields.text(arns[0], 500) if arns else None,
        environment=fields.environment(flat.get("environment"), flat.get("env")),
        severity_hint=fields.first(detail, "severity", limit=100) or None,
        labels=fields.labels(_base(event), flat),
        started_at=fields.moment(event.get("time")),
        received_at=at,
    )


def _service(detail: Mapping[str, object]) -> str | None:
    kind, _, name = fields.first(detail, "group", limit=200).partition(":")  # of an ECS task
    named = fields.first(detail, "service", "serviceName", limit=200)
    return named or (name if kind == "service" else "") or None


def _base(event: Mapping[str, object]) -> dict[str, object]:
    named = ("detail-type", "source", "region", "account")
    return {name.replace("-", "_"): event.get(name) for name in named}


def _identity(event: Mapping[str, object]) -> str:
    """What stays the same when the same thing happens to the same resources again."""
    arns = [fields.text(arn, 500) for arn in fields.items(event.get("resources"))[:20]]
    named = (fields.first(event, "source"), fields.first(event, "detail-type"))
    return fields.fingerprint(*named, *(arns or [fields.first(event, "id")]))


def leaves(value: Mapping[str, object], depth: int = 0) -> dict[str, object]:
    """The scalars of a nested object by their own names; the first of a name wins."""
    found: dict[str, object] = {}
    for name, inner in value.items():
        if isinstance(inner, dict):
            deeper = leaves(inner, depth + 1) if depth < _MAX_DEPTH else {}
        elif isinstance(inner, list):
            deeper = _listed(name, inner, depth)
        else:
            deeper = {name: inner}
        for key, scalar in deeper.items():
            if len(found) < fields.MAX_LABELS:
                found.setdefault(key, scalar)
    return found


def _listed(name: str, values: list[object], depth: int) -> dict[str, object]:
    objects = [entry for entry in values[:5] if isinstance(entry, dict)]
    tags = fields.pairs(objects, "key", "value")
    if tags:
        return {f"tag_{key}": value for key, value in tags.items()}
    if objects and depth < _MAX_DEPTH:
        return leaves(objects[0], depth + 1)
    said = ", ".join(part for entry in values[:10] if (part := fields.text(entry, 200)))
    return {name: said}


def _first_leaf(value: Mapping[str, object], names: list[str]) -> str | None:
    return fields.first(leaves(value), *names, limit=500) or None


def _tag_values(resource: Mapping[str, object]) -> list[object]:
    named = leaves(resource)
    return [
        value for name, value in named.items() if name.lower() in ("tag_env", "tag_environment")
    ]
