"""The circuit breaker of automatic repair."""

from datetime import timedelta

import pytest

from incident_squad.domain.catalog import Breaker
from incident_squad.domain.plan import Applier
from incident_squad.domain.values import Severity
from incident_squad.policy.apply import who_may_apply
from incident_squad.policy.breaker import PastRepair, tripped
from tests.builders import NOW, a_diagnosis, a_planned_step, a_triage

BREAKER = Breaker(window_minutes=60, failures=2, recurrences=3)


def past(minutes: float, *, failed: bool = False, runbook: str = "pool", n: int = 0) -> PastRepair:
    at = NOW - timedelta(minutes=minutes)
    incident = f"INC-20261122-0000{n}"
    return PastRepair(incident_id=incident, runbook_id=runbook, at=at, failed=failed)


def why(*history: PastRepair) -> str | None:
    return tripped(history, "pool", BREAKER, NOW)


def test_without_a_history_it_is_closed() -> None:
    assert why() is None
    assert why(past(1), past(2)) is None


def test_failures_open_it_whatever_their_runbook() -> None:
    assert why(past(1, failed=True)) is None
    said = why(past(1, failed=True, n=1), past(50, failed=True, runbook="other", n=2))
    assert said == (
        "automatic repair of this service failed in INC-20261122-00001, INC-20261122-00002"
    )


def test_the_same_repair_again_and_again_opens_it() -> None:
    assert why(past(1), past(2), past(3, runbook="other")) is None
    assert "3 times lately" in str(why(past(1), past(2), past(3)))


@pytest.mark.parametrize("minutes", [60.1, 10_000, -1])
def test_what_lies_outside_the_window_does_not_count(minutes: float) -> None:
    assert why(past(minutes, failed=True), past(minutes, failed=True)) is None
    assert why(past(60, failed=True), past(60, failed=True)) is not None


def test_an_open_breaker_asks_a_person_where_nobody_was_asked() -> None:
    applier, reasons = who_may_apply(
        a_triage(severity=Severity.SEV3),
        a_diagnosis(),
        (a_planned_step(),),
        automatic_repair=True,
        stopped="it failed in INC-1",
    )
    assert applier is Applier.HUMAN
    assert reasons == ("the circuit breaker is open: it failed in INC-1",)
