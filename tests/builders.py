"""Values for tests: each builder gives a sound one, and takes what the test is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from incident_squad.domain.alert import Alert, Source
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.delivery import Message
from incident_squad.domain.evidence import Diagnosis
from incident_squad.domain.incident import Incident
from incident_squad.domain.plan import Applier, Plan, PlannedStep
from incident_squad.domain.runbook import Runbook
from incident_squad.domain.triage import RunbookCandidate, Triage
from incident_squad.domain.values import Environment, IncidentType, Risk, Severity

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
INCIDENT_ID = "INC-20261122-7F3KQ"


def an_alert(**fields: Any) -> Alert:
    known: dict[str, Any] = {
        "source": Source.ALERTMANAGER,
        "key": "alertmanager:fp1",
        "title": "Connection pool of orders-db is exhausted",
        "service": "orders",
        "received_at": NOW,
    }
    return Alert(**{**known, **fields})


def an_incident(**fields: Any) -> Incident:
    known: dict[str, Any] = {
        "id": INCIDENT_ID,
        "title": "Connection pool of orders-db is exhausted",
        "source": "alertmanager",
        "opened_at": NOW,
        "updated_at": NOW,
        "service": "orders",
    }
    return Incident(**{**known, **fields})


def a_triage(**fields: Any) -> Triage:
    known: dict[str, Any] = {
        "type": IncidentType.DATABASE,
        "severity": Severity.SEV1,
        "service": "orders",
        "runbooks": (RunbookCandidate(runbook_id="pool", score=0.9),),
        "confidence": 0.9,
    }
    return Triage(**{**known, **fields})


def a_diagnosis(**fields: Any) -> Diagnosis:
    known: dict[str, Any] = {
        "specialist": IncidentType.DATABASE,
        "runbook_id": "pool",
        "root_cause": "Sessions are stuck and hold all connections.",
        "conclusive": True,
        "confidence": 0.8,
    }
    return Diagnosis(**{**known, **fields})


def a_planned_step(**fields: Any) -> PlannedStep:
    known: dict[str, Any] = {
        "runbook_id": "pool",
        "step_index": 0,
        "runbook_digest": "d1",
        "title": "End the stuck sessions",
        "kind": "sql",
        "command": "SELECT pg_terminate_backend(pid)",
        "target": "orders-db",
        "mutates": True,
        "risk": Risk.MEDIUM,
        "preview": ({"pid": "11"}, {"pid": "12"}),
    }
    return PlannedStep(**{**known, **fields})


def a_plan(**fields: Any) -> Plan:
    known: dict[str, Any] = {
        "incident_id": INCIDENT_ID,
        "runbook_id": "pool",
        "environment": Environment.PRODUCTION,
        "steps": (a_planned_step(),),
        "estimated_time": "5 minutes",
        "applier": Applier.HUMAN,
        "created_at": NOW,
    }
    return Plan(**{**known, **fields})


def a_catalog(**fields: Any) -> Catalog:
    known: dict[str, Any] = {
        "company": "Example",
        "people": {
            "ada": {"name": "Ada", "email": "ada@example.com"},
            "ben": {"name": "Ben", "email": "ben@example.com"},
            "vera": {"name": "Vera", "email": "vera@example.com"},
        },
        "teams": {"orders-team": {"name": "Orders", "on_call": ["ada", "ben"]}},
        "vp_engineering": "vera",
        "services": {
            "orders": {
                "public_name": {"en": "Orders", "fr": "Commandes"},
                "tier": "revenue",
                "owner": "orders-team",
                "targets": {"database": "orders-db"},
            }
        },
        "targets": {"orders-db": {"kind": "postgresql", "reader": "r", "writer": "w"}},
    }
    return Catalog.model_validate({**known, **fields})


def a_runbook(**fields: Any) -> Runbook:
    known: dict[str, Any] = {
        "name": "pool",
        "title": "Connection pool exhausted",
        "description": "No connection is left.",
        "type": "database",
        "checks": [
            {
                "id": "used",
                "title": "Share of connections in use",
                "means": "nearly all connections are in use",
                "probes": [{"kind": "sql", "target": "database", "sql": "SELECT 1"}],
                "supports": {"op": ">=", "value": 0.8},
                "contradicts": {"op": "<", "value": 0.5},
            }
        ],
        "steps": [
            {"title": "Count", "command": "SELECT 1", "action": {"kind": "note", "text": "count"}}
        ],
        "estimatedTime": "5 minutes",
        "rootCause": "Sessions hold connections and do not give them back.",
        "customer": {
            "impact": {"en": "x", "fr": "x"},
            "looking_into": {"en": "x", "fr": "x"},
            "cause": {"en": "x", "fr": "x"},
            "fix": {"en": "x", "fr": "x"},
        },
        "digest": "d1",
    }
    return Runbook.model_validate({**known, **fields})


def a_message(**fields: Any) -> Message:
    known: dict[str, Any] = {
        "id": "a-message",
        "incident_id": INCIDENT_ID,
        "kind": "update",
        "recipients": ("#incidents",),
        "subject": "A subject",
        "body": "A body",
    }
    return Message(**{**known, **fields})


def later(**span: float) -> datetime:
    return NOW + timedelta(**span)
