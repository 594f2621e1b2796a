"""The outbox in DynamoDB.

A delivery stands with its incident; while it waits, a pointer of the same transaction stands in
the partition `OUTBOX`, so that what waits is found without looking at every incident.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

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
from incident_squad.adapters.dynamodb_table import Cancelled, ConditionFailed, DynamoTable
from incident_squad.domain.delivery import Delivery, DeliveryStatus, Lane, Message
from incident_squad.domain.errors import TransientFailure
from incident_squad.domain.values import as_utc, iso
from incident_squad.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OUTBOX = "OUTBOX"
_DELIVERY, _LANE, _POINTER = "DELIVERY#", "LANE#", "WAITING#"
_NEW = "attribute_not_exists(#PK)"
_FREE = "(attribute_not_exists(#lease_until) OR #lease_until <= :now)"
_DUE = "(attribute_not_exists(#due_at) OR #due_at <= :now)"
_TICK = timedelta(milliseconds=1)


class DynamoOutbox:
    """Implements `Outbox`."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._table = DynamoTable(client, table, clock)
        self._clock = clock

    def put(self, message: Message, channels: Sequence[str]) -> None:
        """Store a message once for each channel; the order of what is there already is kept."""
        known = self.of_incident(message.incident_id)
        latest = max((d.created_at for d in known), default=None)
        now = as_utc(self._clock.now())
        # Two clocks may disagree by a little; the order of messages never does.
        at = max(now, latest + _TICK) if latest else now
        there = {(d.channel, d.message.id) for d in known}
        for channel in channels:
            if (channel, message.id) not in there:
                self._put(Delivery(message=message, channel=channel, created_at=at))

    def of_incident(self, incident_id: str) -> Sequence[Delivery]:
        """All deliveries of an incident, in the order in which they were put."""
        items = self._table.query(incident_key(incident_id), _DELIVERY)
        found = [restored(Delivery, item) for item in items]
        return tuple(sorted(found, key=lambda d: (d.created_at, d.channel, d.message.id)))

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
        }
        now = iso(self._clock.now())
        try:
            item = self._table.update(_lane_key(lane), fields, f"{_FREE} AND {_DUE}", now=now)
        except ConditionFailed:
            return None
        return restored(Lane, item)

    def begin(self, waiting: Delivery) -> Delivery:
        """Note that it is being sent; raises TransientFailure when it waits no more."""
        changes = {
            "attempts": waiting.attempts + 1,
            "tried_at": self._clock.now(),
            "doubtful": True,
        }
        self._write(waiting.model_copy(update=changes))
        return waiting.model_copy(update={**changes, "doubtful": waiting.doubtful})

    def finish(self, ended: Delivery, lane: Lane) -> None:
        """Store the end of a delivery and the lane's memory, all or nothing."""
        self._table.transact(
            [
                self._table.put_write(_item(ended), ""),
                self._table.put_write(_lane_item(lane), ""),
                self._table.delete_write(OUTBOX, _pointer(ended)),
            ]
        )

    def release(self, lane: Lane, tried: Delivery | None) -> None:
        """Give the lane back, with what could not be sent."""
        if tried is not None:
            self._write(tried)
        self._table.put(_lane_item(lane.model_copy(update={"lease_until": None})))

    def _put(self, fresh: Delivery) -> None:
        pointer = {
            PARTITION: OUTBOX,
            SORT: _pointer(fresh),
            "incident_id": fresh.message.incident_id,
            "channel": fresh.channel,
        }
        writes = [
            self._table.put_write(_item(fresh), _NEW),
            self._table.put_write(attributes(pointer), ""),
        ]
        try:
            self._table.transact(writes)
        except Cancelled:
            return  # another try of the same sender has put it

    def _write(self, delivery: Delivery) -> None:
        waits = DeliveryStatus.WAITING.value
        try:
            self._table.put(_item(delivery), "#status = :waits", waits=waits)
        except ConditionFailed:
            raise TransientFailure("somebody else has ended this delivery") from None

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


def _pointer(delivery: Delivery) -> str:
    """What waits longest comes first."""
    return f"{_POINTER}{iso(delivery.created_at)}#{delivery.channel}#{_digest(delivery)}"


def _digest(delivery: Delivery) -> str:
    text = f"{delivery.message.incident_id}\n{delivery.message.id}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
