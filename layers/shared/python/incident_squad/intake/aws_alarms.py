"""CloudWatch alarms in the two forms that AWS sends: SNS's and EventBridge's."""

import json
import re
from collections.abc import Mapping
from datetime import datetime

from incident_squad.domain.alert import Alert, AlertStatus, Source
from incident_squad.domain.errors import InvalidAlert
from incident_squad.domain.values import Environment
from incident_squad.intake import fields

_STATUS = {"ALARM": AlertStatus.FIRING, "OK": AlertStatus.RESOLVED}
_RESOURCES = [
    "DBClusterIdentifier",
    "DBInstanceIdentifier",
    "LoadBalancer",
    "TargetGroup",
    "FunctionName",
    "ServiceName",
    "ClusterName",
    "CacheClusterId",
    "ReplicationGroupId",
    "TableName",
    "QueueName",
    "DomainName",
    "InstanceId",
    "AutoScalingGroupName",
    "ApiName",
    "ApiId",
    "CanaryName",
    "DistributionId",
    "WebACL",
    "StreamName",
    "host",
]
_SERVICES = ("ServiceName", "Service", "service", "FunctionName", "ApiName", "CanaryName", "app")
_ENVIRONMENTS = ("Environment", "environment", "Env", "env", "Stage", "stage")
_THRESHOLD = re.compile(r"\bthe threshold \(([^)]{1,40})\)")
_COMPARISON = re.compile(r"\b((?:greater|less) than(?: or equal to)?)\b")


def posted_alarm(alarm: Mapping[str, object], at: datetime) -> Alert:
    """The alarm that SNS delivers as JSON in its `Message`."""
    trigger = fields.mapping(alarm.get("Trigger"))
    metrics = [_stat(entry) for entry in fields.items(trigger.get("Metrics"))[:20]]
    metric = next((entry for entry in metrics if entry), {})
    dimensions = fields.pairs(fields.items(trigger.get("Dimensions")), "name", "value")
    dimensions = dimensions or _dimensions(metric.get("Dimensions"))
    facts = {
        "namespace": fields.first(trigger, "Namespace") or fields.first(metric, "Namespace"),
        "metric": fields.first(trigger, "MetricName") or fields.first(metric, "MetricName"),
        "statistic": fields.first(trigger, "Statistic", "ExtendedStatistic"),
        "comparison": trigger.get("ComparisonOperator"),
        "threshold": trigger.get("Threshold"),
        "period": trigger.get("Period"),
        "expression": _expression(trigger.get("Metrics")),
        "alarm_rule": alarm.get("AlarmRule"),
        "previous_state": alarm.get("OldStateValue"),
        "region": _region(alarm.get("AlarmArn")) or fields.first(alarm, "Region"),
        "account": alarm.get("AWSAccountId"),
    }
    return _alert(
        name=fields.first(alarm, "AlarmName"),
        arn=fields.first(alarm, "AlarmArn", limit=280),
        state=fields.first(alarm, "NewStateValue"),
        reason=fields.first(alarm, "NewStateReason", limit=4000),
        told={"description": alarm.get("AlarmDescription"), "when": alarm.get("StateChangeTime")},
        facts=facts,
        dimensions=dimensions,
        at=at,
        # Somebody asked for this message by an action, so missing data matters to them.
        asked=True,
    )


def bridged_alarm(event: Mapping[str, object], at: datetime) -> Alert:
    """The alarm in an EventBridge event, or as CloudWatch hands it to a function."""
    detail = fields.mapping(event.get("detail")) or fields.mapping(event.get("alarmData"))
    state = fields.mapping(detail.get("state"))
    configuration = fields.mapping(detail.get("configuration"))
    metrics = [fields.mapping(entry) for entry in fields.items(configuration.get("metrics"))[:20]]
    stats = [fields.mapping(entry.get("metricStat")) for entry in metrics]
    metric = next((fields.mapping(s.get("metric")) for s in stats if s.get("metric")), {})
    arns = fields.items(event.get("resources"))
    reason = fields.first(state, "reason", limit=4000)
    data = _reason_data(state.get("reasonData"))
    facts = {
        "namespace": metric.get("namespace"),
        "metric": metric.get("name"),
        "statistic": fields.first(data, "statistic")
        or next((fields.first(s, "stat") for s in stats if s), ""),
        "comparison": _found(_COMPARISON, reason),
        "threshold": data.get("threshold") or _found(_THRESHOLD, reason),
        "period": data.get("period"),
        "expression": _expression(metrics),
        "alarm_rule": configuration.get("alarmRule"),
        "previous_state": fields.first(fields.mapping(detail.get("previousState")), "value"),
        "region": event.get("region"),
        "account": fields.first(event, "account", "accountId"),
    }
    return _alert(
        name=fields.first(detail, "alarmName"),
        arn=fields.text(arns[0], 280) if arns else fields.first(event, "alarmArn", limit=280),
        state=fields.first(state, "value"),
        reason=reason,
        told={
            "description": configuration.get("description"),
            "when": fields.first(state, "timestamp") or event.get("time"),
        },
        facts=facts,
        dimensions=_dimensions(metric.get("dimensions")),
        at=at,
        asked="alarmData" in event,
    )


def _alert(  # noqa: PLR0913 - the two forms meet here, by name
    *,
    name: str,
    arn: str,
    state: str,
    reason: str,
    told: Mapping[str, object],
    facts: Mapping[str, object],
    dimensions: Mapping[str, object],
    at: datetime,
    asked: bool,
) -> Alert:
    if not name:
        raise InvalidAlert("a CloudWatch alarm needs a name")
    if not state:
        raise InvalidAlert(f"the CloudWatch alarm '{name[:200]}' says no state")
    status = _STATUS.get(state.upper(), AlertStatus.NO_DATA if asked else AlertStatus.INFORMATION)
    when = fields.moment(told.get("when"))
    described = fields.text(told.get("description"), 8000)
    return Alert(
        source=Source.CLOUDWATCH,
        key="cloudwatch:" + (arn or fields.fingerprint(name, str(facts.get("account")))),
        status=status,
        title=name,
        description="\n".join(part for part in (described, reason) if part),
        service=fields.first(dimensions, *_SERVICES, limit=200) or None,
        resource=_resource(dimensions),
        environment=_environment(dimensions, name),
        severity_hint=None,
        metric=fields.first(facts, "metric", limit=500) or None,
        labels=fields.labels(dimensions, facts, {"alarm": name, "state": state}),
        links=_console(arn, name),
        started_at=when if status is not AlertStatus.RESOLVED else None,
        ended_at=when if status is AlertStatus.RESOLVED else None,
        received_at=at,
    )


def _environment(dimensions: Mapping[str, object], name: str) -> Environment | None:
    named = fields.environment(*(dimensions.get(key) for key in _ENVIRONMENTS))
    return named or fields.environment(name)


def _resource(dimensions: Mapping[str, object]) -> str | None:
    known = fields.first(dimensions, *_RESOURCES, limit=500)
    return known or next((said for v in dimensions.values() if (said := fields.text(v, 500))), None)


def _stat(entry: object) -> Mapping[str, object]:
    return fields.mapping(fields.mapping(fields.mapping(entry).get("MetricStat")).get("Metric"))


def _dimensions(value: object) -> dict[str, object]:
    listed = fields.items(value)
    return fields.pairs(listed, "name", "value") if listed else dict(fields.mapping(value))


def _expression(metrics: object) -> str:
    found = (fields.mapping(entry) for entry in fields.items(metrics))
    return next((said for e in found if (said := fields.first(e, "expression", "Expression"))), "")


def _reason_data(value: object) -> Mapping[str, object]:
    """EventBridge puts JSON into a string here."""
    try:
        return fields.mapping(json.loads(value)) if isinstance(value, str) else {}
    except (ValueError, RecursionError):
        return {}


def _found(pattern: re.Pattern[str], said: str) -> str:
    match = pattern.search(said)
    return match.group(1) if match else ""


def _region(arn: object) -> str:
    parts = fields.text(arn, 300).split(":")
    return parts[3] if len(parts) > 3 else ""  # noqa: PLR2004 - the place of the region in an ARN


def _console(arn: str, name: str) -> tuple[str, ...]:
    region = _region(arn)
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region) or not re.fullmatch(r"[\w.-]+", name):
        return ()
    host = f"{region}.console.aws.amazon.com"
    return (f"https://{host}/cloudwatch/home?region={region}#alarmsV2:alarm/{name}",)
