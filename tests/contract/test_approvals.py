"""Laws 1 and 2 in the stores: a request is decided once, in time, about its very plan."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from incident_squad.domain.approval import Approval, ApprovalStatus
from incident_squad.domain.errors import (
    ApprovalRefused,
)
from tests.builders import (
    INCIDENT_ID,
    NOW,
    later,
)
from tests.contract.stores import Stores, together

TOKEN = "AQB4-a-task-token"


def an_approval(**fields: Any) -> Approval:
    known = {
        "id": "approval01",
        "incident_id": INCIDENT_ID,
        "plan_hash": "p1",
        "approvers": ("ada@example.com", "ben@example.com"),
        "created_at": NOW,
        "expires_at": later(minutes=30),
    }
    return Approval.model_validate({**known, **fields})


def test_a_request_never_shows_its_task_token(stores: Stores) -> None:
    stores.approvals.put(an_approval(), TOKEN)
    found = stores.approvals.get(INCIDENT_ID, "approval01")
    assert found == an_approval()
    decided, _ = stores.approvals.decide(
        an_approval(), ApprovalStatus.APPROVED, "ada@example.com", NOW, ""
    )
    shown = [found, decided, stores.approvals, *stores.approvals.of_incident(INCIDENT_ID)]
    assert all(TOKEN not in repr(thing) for thing in shown)
    assert stores.approvals.task_token(an_approval()) == TOKEN


def test_a_request_is_decided_once_and_the_second_learns_by_whom(stores: Stores) -> None:
    stores.approvals.put(an_approval(), TOKEN)
    at = later(minutes=1)
    decided, token = stores.approvals.decide(
        an_approval(), ApprovalStatus.REJECTED, "ada@example.com", at, "not now"
    )
    assert token == TOKEN
    assert decided == an_approval(
        status="rejected", decided_by="ada@example.com", decided_at=at, comment="not now"
    )
    with pytest.raises(ApprovalRefused, match=r"rejected by ada@example\.com") as refused:
        stores.approvals.decide(an_approval(), ApprovalStatus.APPROVED, "ben@example.com", at, "")
    assert TOKEN not in repr(refused.value)
    assert stores.approvals.get(INCIDENT_ID, "approval01") == decided


@pytest.mark.parametrize("status", [ApprovalStatus.APPROVED, ApprovalStatus.REJECTED])
def test_a_human_decides_in_time_or_not_at_all(stores: Stores, status: ApprovalStatus) -> None:
    stores.approvals.put(an_approval(), TOKEN)
    with pytest.raises(ApprovalRefused):
        stores.approvals.decide(an_approval(), status, "a@b.c", later(minutes=30), "")
    in_time = later(minutes=30) - timedelta(milliseconds=1)
    assert stores.approvals.decide(an_approval(), status, "a@b.c", in_time, "")[0].status == status


@pytest.mark.parametrize("status", [ApprovalStatus.EXPIRED, ApprovalStatus.VOID])
def test_a_request_can_be_ended_after_its_time(stores: Stores, status: ApprovalStatus) -> None:
    stores.approvals.put(an_approval(), TOKEN)
    decided, _ = stores.approvals.decide(an_approval(), status, None, later(hours=2), "")
    assert (decided.status, decided.decided_by) == (status, None)
    with pytest.raises(ApprovalRefused):
        stores.approvals.decide(an_approval(), ApprovalStatus.APPROVED, "a@b.c", NOW, "")


def test_another_plan_is_not_approved(stores: Stores) -> None:
    stores.approvals.put(an_approval(), TOKEN)
    changed = an_approval(plan_hash="p2")
    with pytest.raises(ApprovalRefused):
        stores.approvals.decide(changed, ApprovalStatus.APPROVED, "a@b.c", NOW, "")
    assert stores.approvals.get(INCIDENT_ID, "approval01") == an_approval()


def test_one_of_many_deciders_wins(stores: Stores) -> None:
    stores.approvals.put(an_approval(), TOKEN)
    won: list[str] = []

    def decide(name: str) -> None:
        try:
            stores.approvals.decide(an_approval(), ApprovalStatus.APPROVED, name, NOW, "")
        except ApprovalRefused:
            return
        won.append(name)

    together(*(lambda name=name: decide(name) for name in "abcdefgh"))
    found = stores.approvals.get(INCIDENT_ID, "approval01")
    assert found is not None
    assert won == [found.decided_by]


def test_a_request_is_never_written_over(stores: Stores) -> None:
    stores.approvals.put(an_approval(), TOKEN)
    stores.approvals.decide(an_approval(), ApprovalStatus.REJECTED, "a@b.c", NOW, "")
    with pytest.raises(ApprovalRefused):
        stores.approvals.put(an_approval(), "another")
    assert stores.approvals.task_token(an_approval()) == TOKEN


def test_requests_come_oldest_first(stores: Stores) -> None:
    for number, minutes in ((1, 9), (2, 3), (3, 6)):
        request = an_approval(id=f"approval0{number}", created_at=later(minutes=minutes))
        stores.approvals.put(request, TOKEN)
    stores.approvals.put(an_approval(incident_id="INC-20261122-00009"), TOKEN)
    found = [approval.id[-1] for approval in stores.approvals.of_incident(INCIDENT_ID)]
    assert found == ["2", "3", "1"]


def test_a_standing_request_moves_to_the_task_of_a_new_execution(stores: Stores) -> None:
    stores.approvals.put(an_approval(), TOKEN)
    stores.approvals.renew_token(an_approval(), "second")
    assert stores.approvals.task_token(an_approval()) == "second"
    stores.approvals.decide(an_approval(), ApprovalStatus.APPROVED, "a@b.c", NOW, "")
    stores.approvals.mark_sent(an_approval())
    stores.approvals.renew_token(an_approval(), "third")
    found = stores.approvals.get(INCIDENT_ID, "approval01")
    assert found is not None
    assert (found.status, found.sent) == (ApprovalStatus.APPROVED, False)
    assert stores.approvals.task_token(an_approval()) == "third"


def test_what_no_longer_stands_gets_no_new_task(stores: Stores) -> None:
    void, expired, unknown = (an_approval(id=f"approval0{n}") for n in range(3))
    stores.approvals.put(void, TOKEN)
    stores.approvals.put(expired, TOKEN)
    stores.approvals.decide(void, ApprovalStatus.VOID, None, NOW, "")
    other_plan = expired.model_copy(update={"plan_hash": "p2"})
    stands_not: list[Callable[[], None]] = [
        lambda: stores.approvals.renew_token(void, "t"),
        lambda: stores.approvals.renew_token(other_plan, "t"),
        lambda: stores.approvals.renew_token(unknown, "t"),
        lambda: stores.approvals.renew_token(expired, "t"),
    ]
    for place, renew in enumerate(stands_not):
        if place == 3:
            stores.clock.moment = later(minutes=30)
        with pytest.raises(ApprovalRefused):
            renew()
    assert {stores.approvals.task_token(a) for a in (void, expired)} == {TOKEN}


def test_a_delivered_decision_is_marked(stores: Stores) -> None:
    stores.approvals.mark_sent(an_approval())
    assert stores.approvals.get(INCIDENT_ID, "approval01") is None
    with pytest.raises(ApprovalRefused):
        stores.approvals.task_token(an_approval())
    stores.approvals.put(an_approval(), TOKEN)
    stores.approvals.mark_sent(an_approval())
    assert stores.approvals.get(INCIDENT_ID, "approval01") == an_approval(sent=True)
