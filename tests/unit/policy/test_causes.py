"""What can be one fault: symptoms join what is open, causes keep to themselves."""

import pytest

from incident_squad.domain.triage import RunbookCandidate, Triage
from incident_squad.domain.values import IncidentType
from incident_squad.policy.causes import SHARED, SYMPTOMS, cause_of, one_fault, spread_up
from infra.local.config import LocalConfig
from infra.local.knowledge import knowledge_of
from tests.builders import a_triage

DB, APP, NET, SEC = (
    IncidentType.DATABASE,
    IncidentType.APPLICATION,
    IncidentType.NETWORK,
    IncidentType.SECURITY,
)


def said(runbook: str | None, kind: IncidentType = APP) -> Triage:
    named = (RunbookCandidate(runbook_id=runbook, score=0.8),) if runbook else ()
    return a_triage(type=kind, runbooks=named)


@pytest.mark.parametrize(
    ("kind", "known", "alert", "one"),
    [
        (DB, "db-connection-pool", said("app-error-rate"), True),
        (DB, "db-connection-pool", said(None), True),
        (DB, "db-connection-pool", said("db-connection-pool", DB), True),
        (DB, "db-connection-pool", said("db-deadlocks", DB), True),
        (DB, "db-connection-pool", said("db-disk-space", DB), False),
        (DB, "db-connection-pool", said("net-certificate-expiry", NET), False),
        (DB, "db-connection-pool", said("app-deploy-failure"), False),
        (DB, "db-connection-pool", said("one-of-our-own"), False),
        (DB, "db-connection-pool", said("sec-unauthorized-access", SEC), False),
        (APP, None, said("db-connection-pool", DB), True),
        (APP, None, said("net-latency", NET), True),
        (APP, None, said("sec-unauthorized-access", SEC), False),
        (APP, None, said(None, SEC), False),
        (SEC, "sec-unauthorized-access", said("app-error-rate"), False),
        (SEC, "sec-unauthorized-access", said("sec-data-exfiltration", SEC), True),
        (SEC, "sec-ddos", said("net-latency", NET), True),
        (APP, None, said("sec-ddos", SEC), True),
    ],
)
def test_what_is_one_fault_at_one_service(
    kind: IncidentType, known: str | None, alert: Triage, one: bool
) -> None:
    assert one_fault(kind, known, alert) is one


@pytest.mark.parametrize(
    ("known", "alert", "above", "one"),
    [
        ("db-connection-pool", said("app-error-rate"), True, True),
        ("db-connection-pool", said("app-deploy-failure"), True, False),
        (None, said("app-error-rate"), True, True),
        (None, said("app-deploy-failure"), True, False),
        (None, said("db-connection-pool", DB), False, True),
        ("app-deploy-failure", said("net-latency", NET), False, False),
        ("app-deploy-failure", said("db-disk-space", DB), False, False),
    ],
)
def test_what_spreads_to_those_that_depend(
    known: str | None, alert: Triage, above: bool, one: bool
) -> None:
    assert spread_up(DB if known else APP, known, alert, above=above) is one


def test_the_names_are_those_of_runbooks() -> None:
    known = set(knowledge_of(LocalConfig.read(None)).runbooks)
    assert known >= SYMPTOMS
    assert known >= SHARED


def test_an_attack_is_always_a_cause() -> None:
    assert cause_of(said(None, SEC)) == "security"
    assert cause_of(said(None)) is None
