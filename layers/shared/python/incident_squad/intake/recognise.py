"""Which source sent this, by headers and body, and its alerts."""

from collections.abc import Mapping
from datetime import datetime

from incident_squad.domain.alert import Alert, Source
from incident_squad.domain.errors import InvalidAlert
from incident_squad.intake import (
    alertmanager,
    cloudwatch,
    datadog,
    fields,
    generic,
    limits,
    pagerduty,
)

MAX_ALERTS = 500
_NORMALISERS = {
    Source.ALERTMANAGER: alertmanager.normalise,
    Source.CLOUDWATCH: cloudwatch.normalise,
    Source.DATADOG: datadog.normalise,
    Source.GENERIC: generic.normalise,
    Source.PAGERDUTY: pagerduty.normalise,
}
_MCP = frozenset({"mcp-protocol-version", "mcp-session-id", "mcp-method"})
_DATADOG = frozenset(
    [
        "alert_transition",
        "alert_title",
        "alert_cycle_key",
        "aggreg_key",
        "alert_query",
        "alert_scope",
        "event_msg",
        "event_title",
        "text_only_msg",
        "alert_metric",
    ]
)


def recognise(headers: Mapping[str, str], payload: object) -> Source:
    """The source of a message; what no other sends is generic. Proves nothing."""
    return _by_headers(headers) or _by_body(fields.mapping(payload))


def speaks_mcp(headers: Mapping[str, object], body: bytes) -> bool:
    """Whether this is a request of MCP and no webhook: by its headers, or a JSON-RPC body."""
    if any(name.lower() in _MCP for name in headers):
        return True
    if b'"jsonrpc"' not in body or len(body) > limits.MAX_BODY:
        return False
    try:
        said = limits.parse(body)
    except InvalidAlert:
        return False
    messages = said if isinstance(said, list) else [said]
    return any(isinstance(message, dict) and "jsonrpc" in message for message in messages)


def normalise(
    payload: object,
    headers: Mapping[str, str],
    received_at: datetime,
    source: Source | None = None,
    most: int = MAX_ALERTS,
) -> list[Alert]:
    """The alerts of a message; raises InvalidAlert with a sentence for the sender."""
    if not isinstance(payload, dict):
        raise InvalidAlert("an alert is a JSON object")
    number = len(fields.items(payload.get("alerts")))
    if number > most:
        raise limits.TooMany(number, most)
    return _NORMALISERS[source or recognise(headers, payload)](payload, received_at)


def _by_headers(headers: Mapping[str, str]) -> Source | None:
    names = {name.lower(): value for name, value in headers.items()}
    agent = names.get("user-agent", "").lower()
    if "x-pagerduty-signature" in names or agent.startswith("pagerduty-webhook"):
        return Source.PAGERDUTY
    if any(name.startswith("x-amz-sns-") for name in names):
        return Source.CLOUDWATCH
    if agent.startswith("alertmanager/"):
        return Source.ALERTMANAGER
    return Source.DATADOG if agent.startswith("datadog") else None


def _by_body(body: Mapping[str, object]) -> Source:
    if "event_type" in fields.mapping(body.get("event")):
        return Source.PAGERDUTY
    if _from_aws(body):
        return Source.CLOUDWATCH
    if isinstance(body.get("alerts"), list):
        return Source.ALERTMANAGER
    return Source.DATADOG if _from_datadog(body) else Source.GENERIC


def _from_aws(body: Mapping[str, object]) -> bool:
    return (
        ("TopicArn" in body and "Type" in body)
        or ("detail-type" in body and "source" in body)
        or "alarmData" in body
        or ("AlarmName" in body and "NewStateValue" in body)
    )


def _from_datadog(body: Mapping[str, object]) -> bool:
    names = {str(name).lower() for name in body} | set(fields.mapping(body.get("alert")))
    linked = fields.first(body, "link", "url", "alert_url")
    usual = {"event_type", "last_updated", "title"} <= names or "transition" in names
    return usual or bool(_DATADOG & names) or ".datadoghq." in linked
