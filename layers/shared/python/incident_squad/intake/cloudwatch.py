"""AWS: alarms over SNS or EventBridge, findings and health events over EventBridge."""

import json
from collections.abc import Mapping
from datetime import datetime

from incident_squad.domain.alert import Alert, AlertStatus, Source
from incident_squad.domain.errors import InvalidAlert
from incident_squad.intake import aws_events, fields
from incident_squad.intake.aws_alarms import bridged_alarm, posted_alarm

CONFIRMATIONS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")


def normalise(payload: object, received_at: datetime) -> list[Alert]:
    """The alerts of an SNS message, an EventBridge event or a bare alarm; raises InvalidAlert.

    A subscription confirmation carries no alert and gives an empty list.
    """
    body = fields.mapping(payload)
    if fields.first(body, "Type") in CONFIRMATIONS:
        return []
    if "Message" in body and ("TopicArn" in body or "Type" in body):
        return _posted(body, received_at)
    found = _inner(body, received_at)
    if found is None:
        raise InvalidAlert("this is no SNS message, EventBridge event or CloudWatch alarm")
    return found


def _posted(envelope: Mapping[str, object], at: datetime) -> list[Alert]:
    said = envelope.get("Message")
    message = _json(said) if isinstance(said, str) else fields.mapping(said)
    found = _inner(message, at)
    if found is not None:
        return found
    return [_text_alert(envelope, message, at)]


def _json(said: str) -> Mapping[str, object]:
    try:
        return fields.mapping(json.loads(said))
    except (ValueError, RecursionError):
        return {}


def _inner(body: Mapping[str, object], at: datetime) -> list[Alert] | None:
    if "AlarmName" in body:
        return [posted_alarm(body, at)]
    if "alarmData" in body or fields.first(body, "source") == "aws.cloudwatch":
        return [bridged_alarm(body, at)]
    if "detail-type" in body and "source" in body:
        return aws_events.normalise(body, at)
    return None


def _text_alert(
    envelope: Mapping[str, object], message: Mapping[str, object], at: datetime
) -> Alert:
    """A message of another AWS service, or a person's text."""
    said = fields.text(envelope.get("Message"), 20_000)
    subject = fields.first(envelope, "Subject") or fields.first(message, "Event Message", "detail")
    title = subject or next((line for line in said.split("\n") if line.strip()), "")[:200]
    if not title:
        raise InvalidAlert("an SNS notification needs a subject or a message")
    topic = fields.first(envelope, "TopicArn", limit=200)
    resource = fields.first(message, "Source ID", "Source ARN", "AutoScalingGroupName", limit=500)
    return Alert(
        source=Source.CLOUDWATCH,
        key="cloudwatch:" + fields.fingerprint(topic, title, said if not message else resource),
        status=AlertStatus.FIRING,
        title=title,
        description="" if said == title else said,
        resource=resource or None,
        environment=fields.environment_in(title),
        labels=fields.labels(message, {"topic": topic, "subject": envelope.get("Subject")}),
        links=fields.links(message.get("Identifier Link"), *fields.links_in(said)),
        started_at=fields.moment(envelope.get("Timestamp")),
        received_at=at,
    )
