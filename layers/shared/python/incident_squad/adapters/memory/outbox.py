"""The outbox in memory."""

import threading
from collections.abc import Sequence
from datetime import datetime

from incident_squad.adapters.records import copy_of
from incident_squad.domain.delivery import Delivery, DeliveryStatus, Lane, Message
from incident_squad.domain.errors import TurnLost
from incident_squad.ports import Clock

_Key = tuple[str, str, str]


class MemoryOutbox:
    """Implements `Outbox`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._deliveries: dict[_Key, Delivery] = {}
        self._lanes: dict[tuple[str, str], Lane] = {}

    def put(self, message: Message, channels: Sequence[str]) -> bool:
        """Store a message once for each channel, after all that is there; whether any waits."""
        with self._lock:
            own = (d for key, d in self._deliveries.items() if key[0] == message.incident_id)
            number = max((d.number for d in own), default=0) + 1
            for channel in channels:
                fresh = Delivery(
                    message=message, channel=channel, created_at=self._clock.now(), number=number
                )
                self._deliveries.setdefault(_key(fresh), copy_of(fresh))
            put = (self._deliveries[message.incident_id, name, message.id] for name in channels)
            return any(delivery.status is DeliveryStatus.WAITING for delivery in put)

    def of_incident(self, incident_id: str) -> Sequence[Delivery]:
        """All deliveries of an incident, in the order in which they were put."""
        with self._lock:
            found = [copy_of(d) for key, d in self._deliveries.items() if key[0] == incident_id]
        return tuple(sorted(found, key=lambda d: d.number))

    def lanes(self) -> Sequence[Lane]:
        """The lanes in which something waits."""
        with self._lock:
            waiting = dict.fromkeys(
                (d.message.incident_id, d.channel)
                for d in self._deliveries.values()
                if d.status is DeliveryStatus.WAITING
            )
            return tuple(copy_of(self._lane(*key)) for key in waiting)

    def seize(self, lane: Lane, until: datetime) -> Lane | None:
        """Take a lane; None when it is somebody else's turn or not due yet."""
        with self._lock:
            known, now = self._lane(lane.incident_id, lane.channel), self._clock.now()
            busy = any(moment and moment > now for moment in (known.lease_until, known.due_at))
            if busy or known.turn != lane.turn:
                return None
            changes = {"lease_until": until, "turn": lane.turn + 1}
            return self._keep(known.model_copy(update=changes))

    def begin(self, waiting: Delivery, lane: Lane) -> Delivery:
        """Note that it is being sent; raises TurnLost."""
        changes = {
            "attempts": waiting.attempts + 1,
            "tried_at": self._clock.now(),
            "doubtful": True,
        }
        with self._lock:
            self._write(waiting.model_copy(update=changes), lane)
            self._keep(lane)
        return waiting.model_copy(update={**changes, "doubtful": waiting.doubtful})

    def finish(self, ended: Delivery, lane: Lane) -> None:
        """Store the end of a delivery and the lane's memory; raises TurnLost."""
        with self._lock:
            self._write(ended, lane)
            self._keep(lane)

    def release(self, lane: Lane, tried: Delivery | None) -> None:
        """Give the lane back, with what could not be sent; raises TurnLost."""
        with self._lock:
            self._fence(lane)
            if tried is not None:
                self._write(tried, lane)
            self._keep(lane.model_copy(update={"lease_until": None}))

    def _write(self, delivery: Delivery, lane: Lane) -> None:
        self._fence(lane)
        if self._deliveries[_key(delivery)].status is not DeliveryStatus.WAITING:
            raise TurnLost("somebody else has ended this delivery")
        self._deliveries[_key(delivery)] = copy_of(delivery)

    def _fence(self, lane: Lane) -> None:
        if self._lane(lane.incident_id, lane.channel).turn != lane.turn:
            raise TurnLost("it is somebody else's turn")

    def _lane(self, incident_id: str, channel: str) -> Lane:
        fresh = Lane(incident_id=incident_id, channel=channel)
        return self._lanes.get((incident_id, channel), fresh)

    def _keep(self, lane: Lane) -> Lane:
        self._lanes[(lane.incident_id, lane.channel)] = copy_of(lane)
        return lane


def _key(delivery: Delivery) -> _Key:
    return delivery.message.incident_id, delivery.channel, delivery.message.id
