"""The alerts of a storm: one fault felt everywhere, and three other outages hidden in it."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SECRET = "the secret of the storm"  # noqa: S105 - of stores in memory

_STARTED = "2026-11-23T10:00:00Z"
_SYMPTOMS = (
    ("payment-api", "Error rate of payment-api is 38% (HTTP 500)"),
    ("payment-api", "p99 latency of payment-api is 9.4 s"),
    ("checkout", "Error rate of checkout is 21%: calls to payment-api time out"),
    ("payments-db", "Connection pool of payments-db exhausted: 500/500 connections in use"),
    ("payment-api", "payment-api: remaining connection slots are reserved, pool exhausted"),
)
_HIDDEN = (
    ("payment-gateway", "TLS certificate of payment-gateway has expired"),
    (
        "auth",
        "Unusual login pattern: 150 failed login attempts from 203.0.113.42, 3 successful logins",
    ),
    ("orders-db", "Disk of orders-db is full: 99% used, no space left on device"),
)
SOURCES = ("alertmanager", "datadog", "generic", "pagerduty")


@dataclass(frozen=True)
class Delivery:
    """One webhook, as API Gateway hands it over."""

    source: str
    event: dict[str, Any]


def storm(alerts: int, distinct: int = 4) -> Iterator[Delivery]:
    """So many deliveries from four sources in turn; each alert is sent `distinct` times or so.

    The hidden outages come once each from every source, spread over the whole.
    """
    hidden = {
        (place + 1) * alerts // 13: (source, *_HIDDEN[place % 3])
        for place, source in enumerate(SOURCES * 3)
    }
    for n in range(alerts):
        source, service, title = hidden.get(
            n, (SOURCES[n % 4], *_SYMPTOMS[n // 4 % len(_SYMPTOMS)])
        )
        key = f"hidden-{service}" if n in hidden else f"storm-{n // 4 // distinct}"
        yield Delivery(source, _event(source, _PAYLOADS[source](key, service, title)))


def strangers(first: int, last: int) -> list[Delivery]:
    """Alerts of services that have nothing to do with each other: each opens an incident."""
    return [
        Delivery("generic", _event("generic", _generic(f"k{n}", f"stranger-{n}", "It is slow")))
        for n in range(first, last)
    ]


def posted(source: str, body: str, secret: str = SECRET) -> dict[str, str]:
    """The headers by which a source proves itself."""
    if source == "pagerduty":
        mac = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
        return {"X-PagerDuty-Signature": f"v1={mac}"}
    return {"Authorization": f"Bearer {secret}"}


def _event(source: str, payload: dict[str, Any]) -> dict[str, Any]:
    path, body = f"/webhooks/{source}", json.dumps(payload)
    return {
        "httpMethod": "POST",
        "path": path,
        "headers": posted(source, body),
        "requestContext": {"stage": "live", "requestId": "r", "path": path},
        "body": body,
        "isBase64Encoded": False,
    }


def _alertmanager(key: str, service: str, title: str) -> dict[str, Any]:
    labels = {"alertname": key, "service": service, "severity": "critical"}
    firing = {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": title},
        "startsAt": _STARTED,
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": hashlib.sha256(f"{key}{service}".encode()).hexdigest()[:16],
    }
    return {"version": "4", "status": "firing", "groupLabels": labels, "alerts": [firing]}


def _datadog(key: str, service: str, title: str) -> dict[str, Any]:
    return {
        "dedup_key": key,
        "transition": "Triggered",
        "title": title,
        "message": title,
        "tags": f"service:{service},env:prod",
        "date": "1795428000000",
        "event_type": "metric_alert_monitor",
    }


def _generic(key: str, service: str, title: str) -> dict[str, Any]:
    return {"alert": title, "key": key, "service": service, "startedAt": _STARTED}


def _pagerduty(key: str, service: str, title: str) -> dict[str, Any]:
    return {
        "event": {
            "id": f"event-{key}",
            "event_type": "incident.triggered",
            "resource_type": "incident",
            "occurred_at": _STARTED,
            "data": {
                "id": key,
                "type": "incident",
                "title": title,
                "service": {"summary": service},
                "urgency": "high",
                "status": "triggered",
            },
        }
    }


_PAYLOADS = {
    "alertmanager": _alertmanager,
    "datadog": _datadog,
    "generic": _generic,
    "pagerduty": _pagerduty,
}
