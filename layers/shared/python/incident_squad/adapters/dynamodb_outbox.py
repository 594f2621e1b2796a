"""The outbox in DynamoDB.

A delivery stands with its incident; while it waits, a pointer of the same transaction stands in
the partition `OUTBOX`, so that what waits is found without looking at every incident. Messages are
numbered by a counter of the incident, in the transaction that puts them: the order of the numbers
is the order in which they leave.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from incident_squad.adapters.dynamodb_items import (
    PARTITION,
    SORT,
    Item,
    attributes,
    decode,
    incident_key,
    restored,
    stored,
)
from incident_squad.adapters.dynamodb_table import Cancelled, ConditionFailed, DynamoTable, pause
from incident_squad.domain.delivery import Delivery, DeliveryStatus, Lane, Message
from incident_squad.domain.errors import TransientFailure, TurnLost
from incident_squad.domain.values import iso
from incident_squad.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OUTBOX = "OUTBOX"
_DELIVERY, _LANE, _POINTER = "DELIVERY#", "LANE#", "WAITING#"
_NEW = "attribute_not_exists(#PK)"
_FREE = "(attribute_not_exists(#lease_until) OR #lease_until <= :now)"
_DUE = "(attribute_not_exists(#due_at) OR #due_at <= :now)"
_TURN = "(attribute_not_exists(#turn) OR #turn = :turn)"
_COUNTER = "OUTBOX"


RACES = 40
"""How often a message may lose its number to another before it gives up."""


class DynamoOutbox:
    """Implements `Outbox`."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._table = DynamoTable(client, table, clock)
        self._clock = clock

    def put(self, message: Message, channels: Sequence[str]) -> bool:
        """Store a message once for each channel, after all that is there; whether any waits."""
        for attempt in range(RACES):
            known = self.of_incident(message.incident_id)
            there = {d.channel: d.status for d in known if d.message.id == message.id}
            missing = [channel for channel in channels if channel not in there]
            number = max((d.number for d in known), default=0) + 1
            if not missing:
                return DeliveryStatus.WAITING in there.values()
            if self._put(message, missing, number):
                return True
            pause(self._clock, attempt)
        raise TransientFailure(f"the outbox of {message.incident_id} is too busy")

    def of_incident(self, incident_id: str) -> Sequence[Delivery]:
        """All deliveries of an incident, in the order in which they were put."""
        items = self._table.query(incident_key(incident_id), _DELIVERY)
        found = [restored(Delivery, item) for item in items]
        return tuple(sorted(found, key=lambda d: (d.number, d.created_at, d.channel)))

    def lanes(self) -> Sequence[Lane]:
        """The lanes in which something waits."""
        items = [*self._table.query(OUTBOX, _POINTER)]
        waiting = dict.fromkeys(
            (str(decode(item["incident_id"])), str(decode(item["channel"]))) for item in items
        )
        return tuple(self._lane(*key) for key in waiting)

    def seize(self, lane: Lane, until: datetime) -> Lane | None:
        """Take a lane; None when it is somebody else's turn or not due yet."""
        fields = {
            "incident_id": lane.incident_id,
            "channel": lane.channel,
            "lease_until": iso(until),
            "turn": lane.turn + 1,
        }
        free = f"{_FREE} AND {_DUE} AND {_TURN}"
        now = iso(self._clock.now())
        try:
            item = self._table.update(_lane_key(lane), fields, free, now=now, turn=lane.turn)
        except ConditionFailed:
            return None
        return restored(Lane, item)

    def begin(self, waiting: Delivery, lane: Lane) -> Delivery:
        """Note that it is being sent; raises TurnLost."""
        changes = {
            "attempts": waiting.attempts + 1,
            "tried_at": self._clock.now(),
            "doubtful": True,
        }
        self._write(lane, waiting.model_copy(update=changes))
        return waiting.model_copy(update={**changes, "doubtful": waiting.doubtful})

    def finish(self, ended: Delivery, lane: Lane) -> None:
        """Store the end of a delivery and the lane's memory, all or nothing; raises TurnLost."""
        self._write(lane, ended, self._table.delete_write(OUTBOX, _pointer(ended)))

    def release(self, lane: Lane, tried: Delivery | None) -> None:
        """Give the lane back, with what could not be sent; raises TurnLost."""
        self._write(lane.model_copy(update={"lease_until": None}), tried)

    def _put(self, message: Message, channels: Sequence[str], number: int) -> bool:
        """Whether it got this number; otherwise somebody else did."""
        counter = (incident_key(message.incident_id), _COUNTER)
        last = "attribute_not_exists(#number) OR #number < :number"
        writes = [self._table.update_write(counter, {"number": number}, last, number=number)]
        for channel in channels:
            fresh = Delivery(
                message=message, channel=channel, created_at=self._clock.now(), number=number
            )
            writes.append(self._table.put_write(_item(fresh), _NEW))
            writes.append(self._table.put_write(_pointer_item(fresh), ""))
        try:
            self._table.transact(writes)
        except Cancelled:
            return False
        return True

    def _write(self, lane: Lane, delivery: Delivery | None, *more: Any) -> None:  # noqa: ANN401 - parts of a transaction
        """Write a lane while it is ours, with a delivery that waits: all or nothing."""
        writes: list[Any] = [self._table.put_write(_lane_item(lane), _TURN, turn=lane.turn)]
        if delivery is not None:
            waits = DeliveryStatus.WAITING.value
            writes.append(self._table.put_write(_item(delivery), "#status = :waits", waits=waits))
        try:
            self._table.transact([*writes, *more])
        except Cancelled:
            raise TurnLost("somebody else serves this lane by now") from None

    def _lane(self, incident_id: str, channel: str) -> Lane:
        fresh = Lane(incident_id=incident_id, channel=channel)
        item = self._table.get(*_lane_key(fresh))
        return restored(Lane, item) if item else fresh


def _lane_key(lane: Lane) -> tuple[str, str]:
    return incident_key(lane.incident_id), f"{_LANE}{lane.channel}"


def _lane_item(lane: Lane) -> Item:
    partition, sort = _lane_key(lane)
    return attributes({PARTITION: partition, SORT: sort, **stored(lane)})


def _item(delivery: Delivery) -> Item:
    partition = incident_key(delivery.message.incident_id)
    sort = f"{_DELIVERY}{delivery.channel}#{_digest(delivery)}"
    fields = stored(delivery)
    # The status is indexed for incidents; without an `id` a delivery is in no index.
    return attributes({PARTITION: partition, SORT: sort, **fields})


def _pointer_item(delivery: Delivery) -> Item:
    return attributes(
        {
            PARTITION: OUTBOX,
            SORT: _pointer(delivery),
            "incident_id": delivery.message.incident_id,
            "channel": delivery.channel,
        }
    )


def _pointer(delivery: Delivery) -> str:
    """What waits longest comes first."""
    return f"{_POINTER}{iso(delivery.created_at)}#{delivery.channel}#{_digest(delivery)}"


def _digest(delivery: Delivery) -> str:
    text = f"{delivery.message.incident_id}\n{delivery.message.id}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
