"""What every outbox does: messages once, in order, one deliverer at a time, nothing forgotten."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest

from incident_squad.adapters.dynamodb_outbox import DynamoOutbox
from incident_squad.domain.delivery import Delivery, DeliveryStatus, Lane, Message
from incident_squad.domain.errors import TurnLost
from incident_squad.ports import Outbox
from tests.builders import INCIDENT_ID, NOW, a_message
from tests.contract.stores import together
from tests.dynamo import create_table
from tests.fakes import FixedClock, MemoryOutbox

Boxes = Callable[[FixedClock], Outbox]


@pytest.fixture(
    params=["memory", "client", pytest.param("emulated", marks=pytest.mark.stack)],
)
def boxes(request: pytest.FixtureRequest) -> Boxes:
    if request.param == "memory":
        return MemoryOutbox
    client = request.getfixturevalue(request.param)
    return lambda clock: DynamoOutbox(client, create_table(client, uuid4().hex), clock)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def outbox(boxes: Boxes, clock: FixedClock) -> Outbox:
    return boxes(clock)


def put(outbox: Outbox, *names: str, channels: tuple[str, ...] = ("slack",)) -> None:
    for name in names:
        outbox.put(a_message(id=name), channels)


def only_lane(outbox: Outbox) -> Lane:
    (lane,) = outbox.lanes()
    return lane


def ended(delivery: Delivery) -> Delivery:
    return delivery.model_copy(update={"status": DeliveryStatus.DELIVERED, "ended_at": NOW})


def test_messages_keep_their_order_whatever_clocks_say(outbox: Outbox, clock: FixedClock) -> None:
    put(outbox, "zebra")
    clock.moment -= timedelta(seconds=5)
    put(outbox, "apple", "monkey")
    found = [delivery.message.id for delivery in outbox.of_incident(INCIDENT_ID)]
    assert found == ["zebra", "apple", "monkey"]


def test_a_message_is_put_once(outbox: Outbox) -> None:
    put(outbox, "one", "one", channels=("slack", "topic"))
    outbox.put(a_message(id="one", subject="again"), ("slack", "late"))
    found = [(d.channel, d.message.subject) for d in outbox.of_incident(INCIDENT_ID)]
    assert sorted(found) == [("late", "again"), ("slack", "A subject"), ("topic", "A subject")]


def test_the_same_message_put_by_many_at_once_is_one(outbox: Outbox) -> None:
    together(*[lambda: put(outbox, "one")] * 5)
    assert len(outbox.of_incident(INCIDENT_ID)) == 1


def test_a_message_comes_back_as_it_was_put(outbox: Outbox) -> None:
    message = a_message(body="é 日本\n" * 2000, link="https://x.example/y", details={"state": "x"})
    outbox.put(message, ("slack",))
    assert outbox.of_incident(INCIDENT_ID)[0].message == message


def test_a_lane_is_one_deliverers_at_a_time(outbox: Outbox, clock: FixedClock) -> None:
    put(outbox, "one")
    until = NOW + timedelta(seconds=60)
    assert outbox.seize(only_lane(outbox), until) is not None
    assert outbox.seize(only_lane(outbox), until) is None
    clock.moment = until
    assert outbox.seize(only_lane(outbox), until + timedelta(seconds=60)) is not None


def test_a_lane_is_seized_once_by_many(outbox: Outbox) -> None:
    put(outbox, "one")
    won: list[Lane] = []

    def try_it() -> None:
        seized = outbox.seize(only_lane(outbox), NOW + timedelta(seconds=60))
        won.extend([seized] if seized else [])

    together(*[try_it] * 5)
    assert len(won) == 1


def test_what_was_put_off_is_not_due_before(outbox: Outbox, clock: FixedClock) -> None:
    put(outbox, "one")
    lane = outbox.seize(only_lane(outbox), NOW + timedelta(seconds=60))
    assert lane is not None
    begun = outbox.begin(outbox.of_incident(INCIDENT_ID)[0], lane)
    due = NOW + timedelta(seconds=30)
    outbox.release(lane.model_copy(update={"due_at": due, "failures": 1, "error": "x"}), begun)
    assert only_lane(outbox).failures == 1
    assert outbox.seize(only_lane(outbox), due) is None
    clock.moment = due
    assert outbox.seize(only_lane(outbox), due + timedelta(seconds=60)) is not None


def test_an_attempt_that_was_begun_is_in_doubt_until_it_ends(outbox: Outbox) -> None:
    put(outbox, "one")
    lane = only_lane(outbox)
    first = outbox.begin(outbox.of_incident(INCIDENT_ID)[0], lane)
    assert (first.attempts, first.doubtful) == (1, False)
    stored = outbox.of_incident(INCIDENT_ID)[0]
    assert stored.doubtful
    assert outbox.begin(stored, lane).doubtful


def test_what_has_ended_waits_no_more_and_the_lane_remembers(outbox: Outbox) -> None:
    put(outbox, "one", "two")
    lane = outbox.seize(only_lane(outbox), NOW + timedelta(seconds=60))
    assert lane is not None
    for delivery in outbox.of_incident(INCIDENT_ID):
        lane = lane.model_copy(update={"memory": {"ts": delivery.message.id}})
        outbox.finish(ended(outbox.begin(delivery, lane)), lane)
    outbox.release(lane, None)
    assert outbox.lanes() == ()
    put(outbox, "three")
    assert only_lane(outbox).memory == {"ts": "two"}
    assert only_lane(outbox).lease_until is None


def test_who_lost_his_turn_cannot_undo_an_end(outbox: Outbox) -> None:
    put(outbox, "one")
    waiting = outbox.of_incident(INCIDENT_ID)[0]
    lane = only_lane(outbox)
    outbox.finish(ended(waiting), lane)
    with pytest.raises(TurnLost):
        outbox.begin(waiting, lane)
    assert outbox.of_incident(INCIDENT_ID)[0].status is DeliveryStatus.DELIVERED


def test_lanes_of_other_incidents_are_their_own(outbox: Outbox) -> None:
    other = "INC-20261122-7F3KR"
    put(outbox, "one")
    outbox.put(Message.model_validate({**a_message().model_dump(), "incident_id": other}), ("s",))
    assert sorted((lane.incident_id, lane.channel) for lane in outbox.lanes()) == [
        (INCIDENT_ID, "slack"),
        (other, "s"),
    ]


def test_whose_turn_is_over_can_write_nothing_any_more(outbox: Outbox, clock: FixedClock) -> None:
    put(outbox, "one", "two")
    slow = outbox.seize(only_lane(outbox), NOW + timedelta(seconds=60))
    assert slow is not None
    waiting = outbox.begin(outbox.of_incident(INCIDENT_ID)[0], slow)
    clock.moment = NOW + timedelta(seconds=61)
    quick = outbox.seize(only_lane(outbox), clock.moment + timedelta(seconds=60))
    assert quick is not None
    for late in (
        lambda: outbox.begin(waiting, slow),
        lambda: outbox.finish(ended(waiting), slow),
        lambda: outbox.release(slow, waiting),
        lambda: outbox.release(slow, None),
    ):
        with pytest.raises(TurnLost):
            late()
    outbox.finish(ended(waiting), quick)
    assert only_lane(outbox).lease_until is not None


def test_messages_that_are_put_at_once_all_have_a_place_of_their_own(outbox: Outbox) -> None:
    together(*[partial(put, outbox, f"m{n}", channels=("slack", "topic")) for n in range(6)])
    found = outbox.of_incident(INCIDENT_ID)
    assert len(found) == 12
    orders = [[d.message.id for d in found if d.channel == name] for name in ("slack", "topic")]
    assert orders[0] == orders[1]
    assert sorted({d.number for d in found}) == [1, 2, 3, 4, 5, 6]


def test_whoever_puts_is_told_whether_there_is_anything_to_deliver(outbox: Outbox) -> None:
    assert outbox.put(a_message(id="one"), ("slack",))
    assert outbox.put(a_message(id="one"), ("slack",))
    outbox.finish(ended(outbox.of_incident(INCIDENT_ID)[0]), only_lane(outbox))
    assert not outbox.put(a_message(id="one"), ("slack",))
    assert not outbox.put(a_message(id="two"), ())
