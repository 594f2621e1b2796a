import pytest

from incident_squad.policy.triage.impact import impact
from tests.builders import an_alert


def stated(text: str, **fields: str) -> dict[str, object]:
    found = impact(an_alert(title="x", description=text, service=None, **fields))
    return {name: value for name, value in found.model_dump().items() if value and name != "facts"}


@pytest.mark.parametrize(
    ("text", "percent", "what"),
    [
        ("45% of requests returning 500", 45, "requests"),
        ("HTTP 502/503 at 34% of requests, 6 of 8 backends down", 34, "requests"),
        ("Environ 12,5 % des utilisateurs voient une erreur", 12.5, "users"),
        ("un client sur deux ne peut plus se connecter", 50, "users"),
        ("1 user in 5 sees a blank page", 20, "users"),
        ("3 out of 10 payments fail", 30, "revenue"),
        ("La quasi-totalité des clients n'a plus accès", 95, "users"),
        ("Most customers cannot log in", 60, "users"),
        ("success rate 62 % on search", 38, "requests"),
        ("Success rate dropped to 62%", 38, "requests"),
        ("Orders down 60% since 10:00", 60, "revenue"),
        ("60% of inbound traffic lost", 60, "requests"),
        ("error rate is 12% while CPU is at 95%", 12, "requests"),
        ("11% of all requests fail, above the threshold 10%", 11, "requests"),
        ("More than 80% of customers are logged out", 80, "users"),
        ("15,000 of 20,000 subscribers see nothing", 75, "users"),
        ("10 000 des 40 000 clients sont touchés", 25, "users"),
        ("Sales run at about 70% of the normal rate", 30, "revenue"),
        ("100% of quotes fail", 100, "requests"),
        ("rien ne fonctionne", 100, "users"),
    ],
)
def test_a_share_of_people_requests_or_revenue_is_read(
    text: str, percent: float, what: str
) -> None:
    found = stated(text)

    assert (found.get("affected_percent"), found.get("affected_what")) == (percent, what)


@pytest.mark.parametrize(
    "text",
    [
        "CPU at 95% on web-1",
        "disk usage 94% (threshold 90%)",
        "connection pool 98% used, active connections 500/500",
        "5xx > 5%",
        "packet loss 40%",
        "memory 97 %, 3 of 5 nodes down",
        "heap 92%",
        "certificate expires in 14 days",
        "traffic increased by 80% of the usual",
        "61% of login attempts failed",
    ],
)
def test_a_share_of_a_resource_or_a_threshold_is_no_impact(text: str) -> None:
    assert "affected_percent" not in stated(text)


@pytest.mark.parametrize(
    "text",
    [
        "No order can be written for any customer.",
        "Nobody can check out",
        "Customers cannot place orders",
        "Paiements en échec pour tous les clients",
        "Plus aucune commande ne passe depuis 14h02",
        "checkout is down",
        "All payments are failing",
    ],
)
def test_revenue_that_stands_still(text: str) -> None:
    assert stated(text).get("revenue_stopped")


@pytest.mark.parametrize(
    "text",
    ["Payments are slow", "Some checkouts fail", "Orders are unaffected", "ORDER BY is slow"],
)
def test_revenue_that_still_flows(text: str) -> None:
    assert not stated(text).get("revenue_stopped")


@pytest.mark.parametrize(
    "text",
    [
        "every site behind the CDN is unreachable",
        "All customers are unable to log in",
        "incident notifications are delayed for all customers",
        "Panne totale de l'application mobile",
    ],
)
def test_everybody_is_affected(text: str) -> None:
    assert stated(text).get("affected_percent") == 100


def test_two_clauses_about_different_things() -> None:
    found = stated("Reviews are missing on 28% of product pages. Orders unaffected.")

    assert found["affected_percent"] == 28
    assert "revenue" not in found


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("No customer impact", "harmless"),
        ("Users are not affected", "harmless"),
        ("Aucun impact client", "harmless"),
        ("Wiki is an internal tool, non critical", "minor"),
        ("tier-3 service", "minor"),
        ("Outil interne, non critique", "minor"),
        ("Logo shifted by 4 px, cosmetic only", "cosmetic"),
        ("purement cosmétique", "cosmetic"),
        ("3 successful logins from same IP to different accounts", "confirmed_compromise"),
        ("An intruder has root on two hosts", "confirmed_compromise"),
        ("Les fichiers du serveur sont chiffrés", "confirmed_compromise"),
        ("Attackers downloaded 3 million customer records", "data_accessed"),
        ("les données de 12 000 clients ont été exfiltrées", "data_accessed"),
        ("The home page is down", "outage"),
        ("L'application mobile est inaccessible", "outage"),
    ],
)
def test_facts_are_found(text: str, fact: str) -> None:
    assert stated(text).get(fact)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("attacker may have accessed data", "data_accessed"),
        ("Aucune fuite de données constatée", "data_accessed"),
        ("150 failed login attempts, no successful login", "confirmed_compromise"),
        ("Possible compromise of a host", "confirmed_compromise"),
        ("attack blocked, nothing was stolen", "data_accessed"),
        ("HTTP 500 Internal Server Error", "minor"),
    ],
)
def test_fears_and_denials_are_no_facts(text: str, fact: str) -> None:
    assert not stated(text).get(fact)


def test_a_fact_is_quoted() -> None:
    found = impact(an_alert(title="Checkout is down"))

    assert "revenue stopped: \u201ccheckout is down\u201d" in found.facts


def test_a_service_named_after_a_revenue_flow_earns_money() -> None:
    assert impact(an_alert(title="x", service="checkout-web")).revenue
    assert not impact(an_alert(title="x", service="forum")).revenue
