import pytest

from incident_squad.domain.catalog import Tier
from incident_squad.domain.triage import Impact
from incident_squad.domain.values import IncidentType, Severity
from incident_squad.policy.triage.severity import RULES, Situation, ruling


def level(facts: dict[str, object], tier: Tier | None = None, hint: str | None = None) -> Severity:
    kind = IncidentType(str(facts.get("type", "application")))
    impact = Impact.model_validate({k: v for k, v in facts.items() if k != "type"})
    return ruling(Situation(impact, kind, tier, hint)).severity


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"noise": True, "revenue_stopped": True}, "SEV4"),
        ({"cosmetic": True}, "SEV4"),
        ({"cosmetic": True, "affected_percent": 40}, "SEV2"),
        ({"non_production": True, "affected_percent": 90}, "SEV3"),
        ({"data_accessed": True, "minor": True}, "SEV1"),
        ({"confirmed_compromise": True}, "SEV1"),
        ({"harmless": True}, "SEV3"),
        ({"harmless": True, "affected_percent": 30}, "SEV2"),
        ({"revenue_stopped": True}, "SEV1"),
        ({"minor": True, "affected_percent": 11}, "SEV3"),
        ({"affected_percent": 50.1}, "SEV1"),
        ({"affected_percent": 50}, "SEV2"),
        ({"affected_percent": 45, "revenue": True}, "SEV1"),
        ({"affected_percent": 10}, "SEV2"),
        ({"affected_percent": 9.9}, "SEV3"),
        ({"affected_percent": 3, "revenue": True}, "SEV3"),
        ({"outage": True, "revenue": True}, "SEV1"),
        ({"outage": True}, "SEV2"),
        ({"type": "security"}, "SEV2"),
        ({}, "SEV2"),
    ],
)
def test_severity_follows_the_stated_impact(facts: dict[str, object], expected: str) -> None:
    assert level(facts) == expected


@pytest.mark.parametrize(
    ("tier", "hint", "facts", "expected"),
    [
        (Tier.REVENUE, "warning", {}, "SEV2"),
        (Tier.CRITICAL, "info", {}, "SEV2"),
        (Tier.STANDARD, "warning", {}, "SEV3"),
        (Tier.STANDARD, "critical", {}, "SEV2"),
        (Tier.INTERNAL, "critical", {}, "SEV3"),
        (Tier.NON_PRODUCTION, "critical", {"affected_percent": 100}, "SEV3"),
        (Tier.REVENUE, None, {"affected_percent": 20}, "SEV2"),
        (Tier.REVENUE, None, {"affected_percent": 40}, "SEV1"),
        (Tier.INTERNAL, None, {"affected_percent": 20, "revenue": True}, "SEV2"),
        (Tier.STANDARD, None, {"few": True}, "SEV3"),
        (None, "P4", {}, "SEV3"),
    ],
)
def test_the_catalogue_and_the_label_only_count_behind_the_impact(
    tier: Tier | None, hint: str | None, facts: dict[str, object], expected: str
) -> None:
    assert level(facts, tier, hint) == expected


@pytest.mark.parametrize("hint", [None, "critical", "low", "P1", "SEV4", "5"])
def test_a_senders_label_never_moves_a_stated_impact(hint: str | None) -> None:
    assert level({"affected_percent": 60}, hint=hint) is Severity.SEV1
    assert level({"affected_percent": 20}, hint=hint) is Severity.SEV2
    assert level({"affected_percent": 2}, hint=hint) is Severity.SEV3


def test_rules_have_names_of_their_own_and_the_last_always_fits() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert RULES[-1].fits(Situation(Impact(), IncidentType.NETWORK))
