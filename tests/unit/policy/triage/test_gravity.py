import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_squad.domain.triage import Impact
from incident_squad.domain.values import IncidentType, Severity
from incident_squad.policy.triage import Triager
from incident_squad.policy.triage.gravity import (
    FIRM,
    LABELS,
    STATED,
    SURE,
    Gravity,
    Opinion,
    settle,
    silent,
)
from incident_squad.policy.triage.knowledge import knowledge
from incident_squad.policy.triage.reading import read
from incident_squad.policy.triage.severity import RULES, Rule, Situation, ruling
from infra.training import Example, learn
from tests.builders import an_alert

APPLICATION = IncidentType.APPLICATION
WORDS: dict[Severity, tuple[str, ...]] = dict.fromkeys(Severity, ("these",))


def an_opinion(stated: float = 1.0, **shares: float) -> Opinion:
    every = {level: shares.get(level.value, 0.0) for level in Severity}
    return Opinion(every, stated, WORDS)


def a_rule(level: Severity) -> Rule:
    return next(rule for rule in RULES if rule.severity is level and rule.name not in FIRM)


@pytest.mark.parametrize(
    ("rule", "opinion", "level"),
    [
        (Severity.SEV2, an_opinion(SEV1=0.9, SEV2=0.1), Severity.SEV1),
        (Severity.SEV2, an_opinion(SEV3=0.9, SEV2=0.1), Severity.SEV3),
        (Severity.SEV3, an_opinion(SEV4=0.9, SEV3=0.1), Severity.SEV4),
        (Severity.SEV2, an_opinion(SEV2=0.9, SEV3=0.1), Severity.SEV2),
    ],
)
def test_a_sure_opinion_is_heard(rule: Severity, opinion: Opinion, level: Severity) -> None:
    found, why = settle(a_rule(rule), opinion, APPLICATION)

    assert found is level
    assert ("of the vote" in why) == (level is not rule)
    assert "by the rule" in why


@pytest.mark.parametrize(
    "opinion",
    [
        an_opinion(stated=STATED / 2, SEV1=1.0),
        an_opinion(SEV1=SURE - 0.1, SEV2=0.3, SEV3=0.3),
        an_opinion(SEV1=0.25, SEV4=0.75),
    ],
)
def test_an_opinion_on_nothing_or_in_doubt_is_not_heard(opinion: Opinion) -> None:
    unknown = RULES[-1]

    assert settle(unknown, opinion, APPLICATION)[0] is unknown.severity


@given(st.sampled_from(RULES), st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4))
def test_words_alone_lower_what_is_critical_or_high_by_one_level(
    rule: Rule, shares: list[float]
) -> None:
    total = sum(shares) or 1.0
    every = {level: share / total for level, share in zip(Severity, shares, strict=True)}

    found = settle(rule, Opinion(every, 1.0, WORDS), APPLICATION)[0]

    if rule.severity.rank <= Severity.SEV2.rank:
        assert found.rank <= rule.severity.rank + 1


@given(st.sampled_from(RULES))
def test_words_alone_close_nothing_of_security_unseen(rule: Rule) -> None:
    found = settle(rule, an_opinion(SEV4=1.0), IncidentType.SECURITY)[0]

    assert found is not Severity.SEV4 or rule.severity is Severity.SEV4


def test_no_words_make_staging_critical(triager: Triager) -> None:
    text = "Nobody can pay, every customer is out, all shops stand still"

    assert triager(an_alert(title=text, service=None)).severity is Severity.SEV1
    assert triager(
        an_alert(title=f"[staging] {text}", service=None, environment="staging")
    ).severity in {Severity.SEV3, Severity.SEV4}


def test_facts_speak_beside_words() -> None:
    reading = read(an_alert(title="The thing is odd", service=None), knowledge().vocabulary)
    impact = Impact(affected_percent=80.0, affected_what="users")
    situation = Situation(impact, IncidentType.APPLICATION)
    learned = Gravity(
        learn(
            LABELS,
            [Example({"f:most": 0.3}, (0,)), Example({"f:few of a hundred": 0.3}, (2,))] * 20,
        )
    )

    opinion = learned(reading, situation, ruling(situation))

    assert opinion.severity is Severity.SEV1
    assert "most" in opinion.words[Severity.SEV1]


def test_without_learning_the_rules_decide(triager: Triager) -> None:
    seen = triager.look(an_alert(title="Nobody can pay", service=None))

    opinion = silent()(seen.reading, seen.situation, seen.rule)
    level, why = settle(seen.rule, opinion, APPLICATION)

    assert level is seen.rule.severity
    assert why.startswith("by the rule")


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("Guests cannot check out of the web shop any more, takings are nil", {"SEV1"}),
        ("The lunch bot of the third floor is grumpy again, nobody minds", {"SEV3", "SEV4"}),
        ("Une poignée de stagiaires ne voit plus le planning interne", {"SEV3", "SEV4"}),
        ("Every fourth parcel cannot be tracked on the site", {"SEV2"}),
    ],
)
def test_an_effect_in_other_words_is_understood(
    triager: Triager, text: str, levels: set[str]
) -> None:
    assert triager(an_alert(title=text, service=None)).severity.value in levels
