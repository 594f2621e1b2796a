"""Who is told, and the pager card."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_squad.domain.triage import Impact
from incident_squad.domain.values import Environment, IncidentType, Severity
from incident_squad.policy.notification import audience, concerns_customers, pager_card
from tests.builders import a_catalog, a_triage, an_alert, an_incident, later

CATALOG = a_catalog(
    people={
        "ada": {"name": "Ada", "email": "ada@example.com"},
        "ben": {"name": "Ben", "email": "ben@example.com"},
        "sam": {"name": "Sam", "email": "sam@example.com"},
        "vera": {"name": "Vera", "email": "vera@example.com"},
    },
    teams={
        "orders-team": {"name": "Orders", "on_call": ["ada", "ben"]},
        "security": {"name": "Security", "on_call": ["sam"]},
    },
)


def told(**fields: object) -> tuple[str, ...]:
    return audience(a_triage(**fields), CATALOG).recipients


def test_sev1_pages_everyone_on_call_and_the_vp() -> None:
    assert told(severity=Severity.SEV1) == (
        "ada@example.com",
        "ben@example.com",
        "vera@example.com",
    )


def test_sev2_pages_the_primary() -> None:
    assert told(severity=Severity.SEV2) == ("ada@example.com",)


def test_sev3_informs_the_channel_and_wakes_nobody() -> None:
    reached = audience(a_triage(severity=Severity.SEV3), CATALOG)
    assert reached.recipients == ("#incidents",)
    assert not reached.page


def test_sev4_is_for_the_timeline_alone() -> None:
    assert told(severity=Severity.SEV4) == ()


def test_a_security_incident_also_reaches_the_security_team() -> None:
    assert "sam@example.com" in told(severity=Severity.SEV1, type=IncidentType.SECURITY)
    assert "sam@example.com" in told(severity=Severity.SEV2, type=IncidentType.SECURITY)


def test_of_an_unknown_service_every_team_could_be_the_owner() -> None:
    reached = told(severity=Severity.SEV1, service="nobody-knows")
    assert {"ada@example.com", "sam@example.com", "vera@example.com"} <= set(reached)


@pytest.mark.parametrize(
    "harmless",
    [
        {"noise": True},
        {"impact": Impact(noise=True)},
        {"severity": Severity.SEV4},
        {"environment": Environment.STAGING},
        {"impact": Impact(non_production=True)},
    ],
)
def test_what_customers_cannot_notice_does_not_concern_them(harmless: dict[str, object]) -> None:
    assert not concerns_customers(a_triage(**harmless), CATALOG)
    assert concerns_customers(a_triage(), CATALOG)
    assert concerns_customers(None, CATALOG)


def test_an_internal_service_does_not_concern_customers() -> None:
    inside = a_catalog(
        services={
            "orders": {"public_name": {"en": "x"}, "tier": "internal", "owner": "orders-team"}
        }
    )
    assert not concerns_customers(a_triage(), inside)
    theft = {"type": IncidentType.SECURITY, "severity": Severity.SEV1}
    assert concerns_customers(a_triage(**theft), inside)
    assert not concerns_customers(a_triage(**theft, noise=True), inside)


def test_the_card_says_what_where_since_impact_and_next() -> None:
    triage = a_triage(impact=Impact(affected_percent=45, affected_what="requests", revenue=True))
    alert = an_alert(resource="prod-db-01", started_at=later(minutes=-2))
    card = pager_card(an_incident(), alert, triage, later())
    what, where, since, impact, following = card.split("\n")
    assert what == "What: SEV1 database: Connection pool of orders-db is exhausted"
    assert where == "Where: orders, prod-db-01 (production)"
    assert since == "Since: 11:58 UTC (2 min ago)"
    assert impact == "Impact: 45% of requests, revenue at stake"
    assert following.startswith("Next: the database specialist")


@given(st.text(max_size=1000), st.text(max_size=500))
def test_the_card_is_five_lines_of_500_characters_whatever_the_alert_says(
    title: str, resource: str
) -> None:
    card = pager_card(an_incident(title=title), an_alert(resource=resource), a_triage(), later())
    assert len(card.splitlines()) == 5
    assert len(card) <= 500
