"""The timeline: one contract for every store (its chain under attack: test_chain.py)."""

from typing import Any

import pytest

from incident_squad.domain.errors import (
    AuditFailure,
)
from incident_squad.domain.incident import IncidentStatus
from tests.builders import (
    INCIDENT_ID,
    an_alert,
    an_incident,
    later,
)
from tests.contract.stores import Stores, an_entry, together


def test_events_are_chained_and_read_on_from_any_place(stores: Stores) -> None:
    stores.incidents.open(an_incident(), an_alert(), later(hours=6))
    written = []
    for number in range(60):
        stores.clock.moment = later(milliseconds=number // 7)
        entry = an_entry(summary=f"number {number}", evidence_ids=("E1",), cost_usd=0.1 * number)
        written.append(stores.timeline.append(INCIDENT_ID, entry))
    assert [event.n for event in written] == list(range(1, 61))
    assert stores.timeline.read(INCIDENT_ID) == tuple(written)
    for after in (1, 30, 59, 60, 99):
        assert stores.timeline.read(INCIDENT_ID, after) == tuple(written[after:])
    assert stores.timeline.problems(INCIDENT_ID) == ()


def test_a_clock_that_goes_back_does_not_turn_the_order(stores: Stores) -> None:
    stores.incidents.open(an_incident(), an_alert(), later(hours=6))
    for seconds in (5, 1, 9):
        stores.clock.moment = later(seconds=seconds)
        stores.timeline.append(INCIDENT_ID, an_entry())
    times = [event.at for event in stores.timeline.read(INCIDENT_ID)]
    assert times == [later(seconds=5), later(seconds=5), later(seconds=9)]
    assert stores.timeline.problems(INCIDENT_ID) == ()


def test_changing_the_incident_leaves_its_chain_alone(stores: Stores) -> None:
    stores.incidents.open(an_incident(), an_alert(), later(hours=6))
    stores.timeline.append(INCIDENT_ID, an_entry())
    stores.incidents.change(INCIDENT_ID, status=IncidentStatus.FIXING)
    stores.timeline.append(INCIDENT_ID, an_entry())
    assert stores.timeline.problems(INCIDENT_ID) == ()
    assert stores.incidents.get(INCIDENT_ID).status is IncidentStatus.FIXING


@pytest.mark.parametrize("bad", [{"text": "\ud800"}, {"thing": object()}])
def test_what_cannot_be_written_is_an_audit_failure(stores: Stores, bad: dict[str, Any]) -> None:
    stores.incidents.open(an_incident(), an_alert(), later(hours=6))
    with pytest.raises(AuditFailure):
        stores.timeline.append(INCIDENT_ID, an_entry(data=bad))
    assert stores.timeline.problems(INCIDENT_ID) == ()


def test_writers_at_the_same_moment_lose_nothing(stores: Stores) -> None:
    stores.incidents.open(an_incident(), an_alert(), later(hours=6))
    failures: list[Exception] = []

    def write(name: str) -> None:
        for number in range(6):
            try:
                stores.timeline.append(INCIDENT_ID, an_entry(summary=f"{name}{number}"))
            except AuditFailure as failure:
                failures.append(failure)

    together(*(lambda name=name: write(name) for name in "abcd"))
    assert not failures
    summaries = [event.summary for event in stores.timeline.read(INCIDENT_ID)]
    assert sorted(summaries) == sorted(f"{name}{number}" for name in "abcd" for number in range(6))
    assert stores.timeline.problems(INCIDENT_ID) == ()


def test_one_of_many_openers_wins(stores: Stores) -> None:
    holders: list[str] = []

    def open_one(number: int) -> None:
        incident = an_incident(id=f"INC-20261122-0000{number}")
        holders.append(stores.incidents.open(incident, an_alert(), later(hours=6)))

    together(*(lambda number=number: open_one(number) for number in range(6)))
    assert len(holders) == 6
    assert len(set(holders)) == 1
    assert stores.listed() == [holders[0][4:]]


def test_of_many_that_write_the_same_at_once_one_does(stores: Stores) -> None:
    stores.incidents.open(an_incident(), an_alert(), later(hours=6))
    wrote: list[object] = []

    def write() -> None:
        entry = an_entry(summary="the same")
        wrote.append(
            stores.timeline.append_once(INCIDENT_ID, entry, lambda e: e.summary == "the same")
        )

    together(*[write] * 5)
    assert [event.summary for event in stores.timeline.read(INCIDENT_ID)] == ["the same"]
    assert len([event for event in wrote if event is not None]) == 1
    assert stores.timeline.problems(INCIDENT_ID) == ()
