"""The spend ledger: hard caps hold, whoever races, in memory and in the table."""

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from incident_squad.adapters.dynamodb_ledger import DynamoLedger
from incident_squad.adapters.memory import MemoryLedger
from incident_squad.domain.errors import ModelFailed
from incident_squad.domain.model import OUTAGE_SECONDS, Spend, Trouble
from incident_squad.ports import Ledger
from tests.builders import INCIDENT_ID, NOW
from tests.contract.stores import together
from tests.dynamo import create_table
from tests.fakes import FixedClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OTHER = "INC-20261122-7F3KR"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(params=["in_memory", "on_moto"])
def ledger(request: pytest.FixtureRequest, clock: FixedClock) -> Ledger:
    if request.param == "in_memory":
        return MemoryLedger(clock)
    client: DynamoDBClient = request.getfixturevalue("client")
    return DynamoLedger(client, create_table(client, uuid4().hex), clock)


def test_what_is_reserved_counts_until_the_real_cost_is_known(ledger: Ledger) -> None:
    assert ledger.reserve(INCIDENT_ID, 400, per_incident=500, per_hour=900)
    assert not ledger.reserve(INCIDENT_ID, 200, per_incident=500, per_hour=900)
    ledger.settle(INCIDENT_ID, 400, Spend(micro_usd=90, tokens=1200, calls=1))
    assert ledger.spent(INCIDENT_ID) == Spend(micro_usd=90, tokens=1200, calls=1)
    assert ledger.reserve(INCIDENT_ID, 200, per_incident=500, per_hour=900)


def test_the_hour_has_a_cap_of_its_own(ledger: Ledger) -> None:
    assert ledger.reserve(INCIDENT_ID, 400, per_incident=500, per_hour=700)
    assert not ledger.reserve(OTHER, 400, per_incident=500, per_hour=700)
    assert ledger.spent(OTHER).micro_usd == 0
    assert ledger.reserve(OTHER, 300, per_incident=500, per_hour=700)


def test_a_cap_of_zero_lets_nothing_through(ledger: Ledger) -> None:
    assert not ledger.reserve(INCIDENT_ID, 1, per_incident=0, per_hour=700)
    assert not ledger.reserve(INCIDENT_ID, 1, per_incident=700, per_hour=0)


def test_a_race_never_passes_the_cap(ledger: Ledger) -> None:
    kept: list[bool] = []

    def reserve() -> None:
        kept.append(ledger.reserve(INCIDENT_ID, 300, per_incident=1000, per_hour=10_000))

    together(*[reserve] * 5)
    assert sorted(kept) == [False, False, True, True, True]
    assert ledger.spent(INCIDENT_ID).micro_usd == 900


def reserved(ledger: Ledger) -> bool:
    return ledger.reserve(INCIDENT_ID, 1, per_incident=500, per_hour=900)


@pytest.mark.parametrize("trouble", [Trouble.OVERLOADED, Trouble.UNAVAILABLE])
def test_a_model_that_is_surely_down_is_down_for_everybody(
    ledger: Ledger, clock: FixedClock, trouble: Trouble
) -> None:
    assert reserved(ledger)
    ledger.failed(trouble)
    with pytest.raises(ModelFailed) as caught:
        reserved(ledger)
    assert caught.value.trouble == Trouble.CIRCUIT_OPEN
    assert ledger.spent(INCIDENT_ID).micro_usd == 1
    clock.sleep(OUTAGE_SECONDS + 1)
    assert reserved(ledger)


def test_one_timeout_may_be_chance_and_two_are_not(ledger: Ledger, clock: FixedClock) -> None:
    ledger.failed(Trouble.TIMEOUT)
    assert reserved(ledger)
    clock.sleep(OUTAGE_SECONDS + 1)
    ledger.failed(Trouble.TIMEOUT)
    assert reserved(ledger)
    ledger.failed(Trouble.TIMEOUT)
    with pytest.raises(ModelFailed):
        reserved(ledger)


def test_a_model_that_works_again_is_asked_again(ledger: Ledger) -> None:
    ledger.failed(Trouble.TIMEOUT)
    ledger.worked()
    ledger.failed(Trouble.TIMEOUT)
    assert reserved(ledger)
