import pytest

from incident_squad.policy.triage.claims import claim_reader
from incident_squad.policy.triage.effects import compose
from incident_squad.policy.triage.rehearsal import staged


def facts(text: str, *, measured: bool = False) -> set[str]:
    return set(compose(claim_reader().claims(text), measured=measured).facts)


def state(text: str) -> str:
    return claim_reader().claims(text)[0].state


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Payments stand still", "stopped"),
        ("Customers cannot open the app", "stopped"),
        ("No ticket has been sold", "stopped"),
        ("Le site ne fonctionne plus", "stopped"),
        ("Pages take 20 seconds", "failing"),
        ("Les commandes ont du retard", "failing"),
        ("Orders keep coming in", "fine"),
        ("The service keeps failing", "failing"),
        ("No requests are lost", "fine"),
        ("Users are not affected", "unfelt"),
        ("Personne n'a remarqué la panne", "unfelt"),
        ("Nobody outside the team uses it", "unused"),
        ("Replica of the orders database", "said"),
    ],
)
def test_a_clause_tells_how_something_fares(text: str, expected: str) -> None:
    assert state(text) == expected


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("Bets are refused in every shop", "revenue stopped"),
        ("Plus aucun billet ne se vend", "revenue stopped"),
        ("Payments pile up, none has reached the bank", "revenue stopped"),
        ("Television is dark in all households", "everybody"),
        ("Personne n'accède à l'espace client", "everybody"),
        ("Patients cannot open their lab results", "outage"),
        ("Employees cannot print", "minor"),
        ("The report tool is rarely used, it can wait", "minor"),
        ("Two customers cannot log in", "few"),
        ("The second line carries the traffic, customers noticed nothing", "harmless"),
        ("Search is gone, buying works", "core well"),
        ("A typo in the footer", "cosmetic"),
        ("An outsider signed in and created accounts", "compromise"),
        ("Customer records were copied to an unknown server", "data taken"),
        ("All login attempts were rejected", "contained"),
    ],
)
def test_facts_are_composed_of_who_what_and_how(text: str, fact: str) -> None:
    assert fact in facts(text)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("The order database has slow queries", "revenue stopped"),
        ("All targets are unhealthy", "everybody"),
        ("An outsider may have signed in", "compromise"),
        ("Customer records may have been copied to an unknown server", "data taken"),
        ("An exposed service answers 500 to all customers", "contained"),
        ("Internal server error", "minor"),
    ],
)
def test_what_is_not_said_is_no_fact(text: str, fact: str) -> None:
    assert fact not in facts(text)


def test_where_a_share_is_stated_a_clause_does_not_say_all() -> None:
    assert "everybody" in facts("All uploads fail")
    assert "everybody" not in facts("All uploads fail", measured=True)


def test_a_flow_that_is_well_is_not_at_stake() -> None:
    suffering = claim_reader().claims("Purchases fail")
    well = claim_reader().claims("Search fails for some, purchases are on another cluster")

    assert compose(suffering, measured=False).earning
    assert not compose(well, measured=False).earning


@pytest.mark.parametrize(
    "text",
    [
        "Pretend that the primary is lost",
        "Imaginez que la base soit perdue",
        "Exercise run by the platform team",
        "The spike comes from my own script",
    ],
)
def test_what_is_only_played_is_staged(text: str) -> None:
    assert staged([text])


@pytest.mark.parametrize(
    "text",
    [
        "This is no drill",
        "The training service answers 500",
        "Customers cannot pay since we restarted it on purpose",
        "exercise-api has 12 % errors",
    ],
)
def test_what_people_suffer_from_is_not_staged(text: str) -> None:
    assert staged([text]) is None
