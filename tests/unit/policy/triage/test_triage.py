import json
from pathlib import Path

import pytest

from incident_squad.domain.alert import Source
from incident_squad.domain.values import IncidentType, Severity
from incident_squad.intake.recognise import normalise
from incident_squad.policy.triage import Triager, triage
from infra.calibration import NOW
from infra.evaluation import Answer, Scorecard, read_cases, score
from tests.builders import a_catalog, a_runbook, an_alert

LABELLED = Path(__file__).parents[4] / "events" / "labelled"


def test_the_customers_database_case(triager: Triager) -> None:
    text = (
        "PostgreSQL connection pool exhausted on prod-db-01. Active connections: 500/500. "
        "Service: payment-api. Error rate spike: 45% of requests returning 500. "
        "Started: 2 minutes ago."
    )
    found = triager(normalise({"alert": text}, {}, NOW)[0])

    assert found.type is IncidentType.DATABASE
    assert found.severity in {Severity.SEV1, Severity.SEV2}
    assert found.runbook_id == "db-connection-pool"
    assert found.service == "payment-api"
    assert found.impact.affected_percent == 45


def test_the_customers_security_case(triager: Triager) -> None:
    text = (
        "Unusual login pattern detected. 150 failed login attempts from IP 203.0.113.42 in 5 "
        "minutes targeting admin endpoints. 3 successful logins from same IP to different "
        "accounts. GeoIP: unexpected region."
    )
    found = triager(normalise({"alert": text}, {}, NOW)[0])

    assert (found.type, found.severity) == (IncidentType.SECURITY, Severity.SEV1)
    assert found.runbook_id == "sec-unauthorized-access"
    assert found.impact.confirmed_compromise


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("network-api: its Postgres database answers in 9 s", "database"),
        ("The security-scanner deployment is in CrashLoopBackOff", "application"),
        ("The certificate of the database server expired", "network"),
        ("auth-service: 18% of requests answer HTTP 500", "application"),
        ("500 failed logins to the Postgres admin role", "security"),
        ("Disk full on web-front-03, nginx cannot write access.log", "application"),
        ("Disk full on prod-db-01", "database"),
        ("JVM deadlock: two threads wait for each other", "application"),
        ("Deadlocks on the orders database", "database"),
        ("Postgres exporter crashes, the database itself is fine", "application"),
        ("DNS tunnelling from build-3", "security"),
        ("Pods restart because DNS lookups fail", "network"),
    ],
)
def test_what_fails_decides_and_not_what_is_mentioned(
    triager: Triager, title: str, kind: str
) -> None:
    assert triager(an_alert(title=title, service=None)).type == kind


def test_structure_outweighs_wording(triager: Triager) -> None:
    alert = an_alert(
        source=Source.CLOUDWATCH,
        title="loadbalancer-config-ReadLatency",
        metric="ReadLatency",
        labels={"namespace": "AWS/RDS"},
        service=None,
    )

    assert triager(alert).type is IncidentType.DATABASE


def test_an_alert_that_says_nothing_is_unsure_and_says_so(triager: Triager) -> None:
    found = triager(an_alert(title="Something is odd", service=None))

    assert found.confidence < 0.7
    assert found.runbook_id is None
    assert found.runbooks[0].runbook_id == "unclear-failure"
    assert found.severity is Severity.SEV2


def test_noise_gets_the_runbook_of_false_alarms_and_sev4(triager: Triager) -> None:
    found = triager(an_alert(title="[DRILL] simulated failover of orders-db, please ignore"))

    assert (found.severity, found.noise, found.runbook_id) == (Severity.SEV4, True, "false-alarm")
    assert found.type is IncidentType.DATABASE


def test_every_judgement_gives_its_reasons(triager: Triager) -> None:
    found = triager(an_alert(title="Replication lag on pg-2", severity_hint="critical"))

    assert found.why[0].startswith("database: ")
    assert any("by the rule" in reason for reason in found.why)
    assert any("a hint only" in reason for reason in found.why)
    assert found.runbooks[0].reasons


def test_a_new_runbook_teaches_triage_without_code() -> None:
    known = {"flux": a_runbook(name="flux", type="network", signals={"says": ["flux capacitor"]})}
    alert = an_alert(title="The flux capacitor hums", service=None)

    taught = triage(alert, a_catalog(), known)

    assert (taught.type, taught.runbook_id) == (IncidentType.NETWORK, "flux")
    assert triage(alert, a_catalog(), {}).runbooks == ()


def test_the_service_is_the_catalogues_whatever_the_alert_calls_it() -> None:
    services = {
        "orders": {
            "public_name": {"en": "Orders", "fr": "Commandes"},
            "tier": "revenue",
            "owner": "orders-team",
            "aliases": ["order-svc"],
            "resources": ["orders-db-*"],
        }
    }
    triager = Triager(a_catalog(services=services), {})

    assert triager(an_alert(service="Order-SVC")).service == "orders"
    assert triager(an_alert(service=None, resource="orders-db-3")).service == "orders"
    assert triager(an_alert(service=None, title="orders-db-7 is slow")).service == "orders"
    assert triager(an_alert(service="unheard-of", title="x")).service == "unheard-of"
    assert triager(an_alert(service=None, title="x")).service is None


@pytest.mark.parametrize("text", ["", " ", "\x00", "%", "<>", "🔥🔥", "a" * 900, "() [] {} | :"])
def test_any_text_is_answered(triager: Triager, text: str) -> None:
    found = triager(an_alert(title=text, description=text * 20, service=None))

    assert 0 <= found.confidence <= 1


@pytest.fixture(scope="module")
def card(triager: Triager) -> Scorecard:
    lines = (LABELLED / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    cases = read_cases(lines)
    answers = {}
    for case in cases:
        found = triager(normalise(case.payload, {}, NOW)[0])
        answers[case.id] = Answer(found.type, found.severity, found.runbook_id, found.confidence)
    topics = json.loads((LABELLED / "topics.json").read_text(encoding="utf-8"))
    return score(cases, answers, topics)


def test_accuracy_on_the_labelled_alerts_stays_above_the_floor(card: Scorecard) -> None:
    worst = "; ".join(f"{miss.case.id}: {miss.what}" for miss in card.misses[:10])

    assert card.type.share >= 0.985, worst
    assert card.severity.share >= 0.96, worst
    assert card.runbook.share >= 0.93, worst
    assert card.tags["hard"].share >= 0.95, worst
    assert card.tags["fr"].share >= 0.98, worst
    assert card.tags["injection"].share == 1, worst


def test_no_sev1_is_put_below_sev2(card: Scorecard) -> None:
    low = {s for (expected, s), n in card.severity_confusion.items() if expected == "SEV1" and n}

    assert low <= {"SEV1", "SEV2"}


def test_the_more_confident_the_more_often_right(card: Scorecard) -> None:
    assert card.calibration[-1].answers.share >= 0.99
    assert card.calibration_error <= 0.1
