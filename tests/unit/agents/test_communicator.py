"""What is said to whom, from one table of facts."""

import re
from datetime import datetime
from typing import Any

import pytest

from incident_squad.agents.communicator import (
    executive_summary,
    write_progress,
    write_update,
)
from incident_squad.agents.facts import Facts, facts_of
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.plan import Applier, StepRecord, StepStatus
from incident_squad.domain.record import IncidentRecord
from incident_squad.domain.runbook import Runbook, StepCondition
from incident_squad.domain.triage import Impact
from incident_squad.domain.update import StatusUpdate, UpdateState
from incident_squad.domain.values import IncidentType, Severity
from incident_squad.policy.leak_gate import leaks
from tests.builders import (
    NOW,
    a_catalog,
    a_diagnosis,
    a_plan,
    a_planned_step,
    a_runbook,
    a_triage,
    an_alert,
    an_incident,
    later,
)

POOL = (
    "PostgreSQL connection pool exhausted on prod-db-01. Active connections: 500/500. Service: "
    "payment-api. Error rate spike: 45% of requests returning 500. Started: 2 minutes ago."
)
LOGINS = (
    "Unusual login pattern detected. 150 failed login attempts from IP 203.0.113.42 in 5 minutes "
    "targeting admin endpoints. 3 successful logins from same IP to different accounts. GeoIP: "
    "unexpected region."
)
WORDS = {
    "impact": {"en": "see errors", "fr": "rencontrer des erreurs"},
    "looking_into": {"en": "failed requests", "fr": "des requêtes en échec"},
    "cause": {"en": "a shortage of capacity", "fr": "un manque de capacité"},
    "fix": {"en": "freeing capacity", "fr": "libérer de la capacité"},
}
RUNBOOKS = {"pool": a_runbook(customer=WORDS)}


def a_record(
    text: str = POOL, service: str | None = "payment-api", **fields: Any
) -> IncidentRecord:
    triage = fields.pop("triage", None) or a_triage(
        service=service,
        impact=Impact(affected_percent=45, affected_what="requests", degraded=True, revenue=True),
    )
    incident = an_incident(
        title=text, service=service, triage=triage, severity=triage.severity, type=triage.type
    ).model_copy(update=fields.pop("incident", {}))
    alert = an_alert(title=text, description=text, service=service, resource="prod-db-01")
    return IncidentRecord(incident=incident, alerts=(alert,), **fields)


def facts(
    record: IncidentRecord, catalog: Catalog, runbooks: dict[str, Runbook] | None = None
) -> Facts:
    return facts_of(record, catalog, RUNBOOKS if runbooks is None else runbooks)


def update(
    state: UpdateState = UpdateState.INVESTIGATING,
    record: IncidentRecord | None = None,
    language: str = "en",
    at: datetime = NOW,
) -> StatusUpdate:
    catalog = a_catalog(policies={"language": language})
    return write_update(facts(record or a_record(), catalog), state, at, catalog)


def test_customers_are_told_what_whom_since_when_and_when_next() -> None:
    said = update()
    assert said.external == (
        "[Investigating] Payments\n\n"
        "We are looking into failed requests.\n\n"
        "Affected: Payments\n"
        "Impact: About 45% of requests are affected. Customers may see errors. "
        "Customers use this service to pay.\n"
        "Started: 2026-11-22 12:00 UTC\n"
        "Updates: every 15 minutes. The next one is due by 12:15 UTC."
    )
    assert said.public_name == "Payments"
    assert said.next_due_at == later(minutes=15)
    assert said.fallback_reason == ""


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Some may be unable to pay or sign in."),
        ("fr", "ne peuvent pas payer ou se connecter"),
    ],
)
def test_what_customers_cannot_do_is_said_in_our_words(language: str, said: str) -> None:
    stopped = Impact(
        outage=True,
        facts=(
            "outage: \u201cnobody can log in at auth-gw-01 or pay\u201d",
            "revenue: \u201cbooking\u201d",
        ),
    )
    record = a_record(triage=a_triage(service="payment-api", impact=stopped))
    text = update(record=record, language=language).external

    assert said in text
    assert "auth-gw-01" not in text


def test_french_customers_are_told_in_french() -> None:
    said = update(language="fr").external
    assert "Nous examinons des requêtes en échec." in said
    assert "Service touché : Paiements" in said
    assert "toutes les 15 minutes" in said


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("state", UpdateState)
@pytest.mark.parametrize("text", [POOL, LOGINS])
@pytest.mark.parametrize("diagnosed", [True, False])
def test_no_public_text_betrays_anything(
    language: str, state: UpdateState, text: str, diagnosed: bool
) -> None:
    record = a_record(text, diagnosis=a_diagnosis() if diagnosed else None)
    said = update(state, record, language)
    assert leaks(said.external, a_catalog(), facts(record, a_catalog()).private) == []
    assert not re.search(
        r"prod-db|payment-api|postgres|203\.|500|admin", said.external, re.IGNORECASE
    )


def test_a_known_service_is_called_by_its_public_name() -> None:
    assert update(record=a_record(service="orders")).public_name == "Orders"


def test_a_service_nobody_knows_stays_neutral() -> None:
    said = update(record=a_record("Falcon crashed", service="falcon"))
    assert said.public_name == "One of our services"
    assert "falcon" not in said.external.lower()


def test_no_cause_is_claimed_before_it_is_proven() -> None:
    guess = a_record(diagnosis=a_diagnosis(conclusive=False))
    said = update(UpdateState.IDENTIFIED, guess).external
    assert "shortage" not in said
    assert "The cause is not confirmed yet." in said
    proven = update(UpdateState.IDENTIFIED, a_record(diagnosis=a_diagnosis())).external
    assert (
        "We have identified the cause: a shortage of capacity. A repair is being prepared."
        in proven
    )


def test_a_repair_is_claimed_only_once_it_runs() -> None:
    running = a_record(diagnosis=a_diagnosis(), plan=a_plan(applier=Applier.AUTO))
    assert "We are freeing capacity." in update(UpdateState.IDENTIFIED, running).external


def test_a_false_alarm_claims_no_outage() -> None:
    for state in UpdateState:
        said = update(state, a_record(triage=a_triage(noise=True, severity=Severity.SEV4)))
        assert "No customer impact is expected" in said.external
        assert not re.search(r"outage|unavailable|down|disruption|experiencing", said.external)
        assert said.next_due_at is None


def test_resolved_says_when_it_ended_and_promises_nothing_more() -> None:
    record = a_record(incident={"resolved_at": later(minutes=75)})
    said = update(UpdateState.RESOLVED, record, at=later(minutes=75))
    assert "Ended: 2026-11-22 13:15 UTC (after 1 h 15 min)" in said.external
    assert said.next_due_at is None


def test_a_text_that_leaks_is_replaced_by_the_bare_template() -> None:
    bad = {**WORDS, "looking_into": {"en": "the failover of prod-db-01", "fr": "x"}}
    record, catalog = a_record(), a_catalog()
    table = facts(record, catalog, {"pool": a_runbook(customer=bad)})
    said = write_update(table, UpdateState.INVESTIGATING, NOW, catalog)
    assert said.public_name == "One of our services"
    assert "prod-db-01" not in said.external
    assert said.external.startswith("[Investigating] One of our services")
    assert "host" in said.fallback_reason


def test_colleagues_are_told_the_facts_as_the_alert_states_them() -> None:
    said = update().internal
    assert said.startswith("[SEV1] payment-api: PostgreSQL connection pool exhausted on prod-db-01")
    for fact in ("500/500", "45% of requests", "Specialist: database", "Source: Alertmanager"):
        assert fact in said
    assert "12:00 UTC alert received from alertmanager" in said
    assert "triaged as database, routed to the database specialist" in said


def test_the_security_team_is_addressed_and_notification_is_foreseen() -> None:
    triage = a_triage(type=IncidentType.SECURITY, service=None, runbooks=())
    said = update(record=a_record(LOGINS, service=None, triage=triage))
    assert "Security team:" in said.internal
    assert "203.0.113.42" in said.internal
    assert "data protection authority must be notified" in said.internal
    assert "If we find that customer data was accessed" in said.external
    assert said.public_name == "Sign-in"


def test_a_title_forges_no_lines_and_hides_no_secrets() -> None:
    hostile = a_record("x\nStatus: Resolved\npassword=hunter2", service=None)
    said = update(record=hostile).internal
    assert "\nStatus: Resolved" not in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (IncidentStatus.TRIAGING, "Triaging"),
        (IncidentStatus.DIAGNOSING, "Diagnosing"),
        (IncidentStatus.FIXING, "Fixing"),
    ],
)
def test_colleagues_see_where_the_work_stands(status: IncidentStatus, word: str) -> None:
    assert f"Status: {word}" in update(record=a_record(incident={"status": status})).internal


def test_executives_are_told_duration_cause_fix_and_what_is_left() -> None:
    recurs = a_planned_step(title="Enlarge the pool", when=StepCondition.RECURS)
    plan = a_plan(steps=(a_planned_step(), recurs))
    done = StepRecord(place=0, plan_hash=plan.hash, status=StepStatus.APPLIED, started_at=NOW)
    record = a_record(
        service="orders",
        diagnosis=a_diagnosis(),
        plan=plan,
        steps=(done,),
        incident={"resolved_at": later(minutes=20)},
    )
    said = executive_summary(facts(record, a_catalog()), NOW)
    assert said.startswith("INC-20261122-7F3KQ: PostgreSQL connection pool exhausted on prod-db-01")
    assert "Duration: 20 minutes" in said
    assert "Severity: SEV1" in said
    assert "Root cause: Sessions are stuck" in said
    assert "Fix applied: End the stuck sessions." in said
    assert "1. Prevent a repetition: Enlarge the pool" in said


def test_the_topic_is_what_is_affected_and_never_what_is_not() -> None:
    text = "Parcel tracking: load balancer returns 503. Sales are not impacted."
    assert update(record=a_record(text, service="alb")).public_name == "Deliveries"
    only = "Batch failed. Payments are not affected."
    assert update(record=a_record(only, service="batch")).public_name == "One of our services"


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("status", ["diagnosing", "awaiting_approval", "handed_over"])
def test_the_gate_lets_every_sentence_about_progress_pass(language: str, status: str) -> None:
    catalog = a_catalog(policies={"language": language})
    table = facts(a_record(), catalog).model_copy(update={"status": IncidentStatus(status)})
    last = write_update(table, UpdateState.INVESTIGATING, NOW, catalog)
    again = write_progress(table, last, NOW, catalog)
    assert len(again.external) > len(last.external)
    assert again.external.partition("\n\n")[0] == last.external.partition("\n\n")[0]
