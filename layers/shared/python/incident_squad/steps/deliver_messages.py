"""DeliverMessages: take what waits in the outbox to its channels, in order, until it is there."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from incident_squad.contracts import Contract
from incident_squad.domain.delivery import Delivery, DeliveryStatus, Lane, Message
from incident_squad.domain.errors import (
    ChannelDown,
    InvalidConfiguration,
    MessageRefused,
    TransientFailure,
    TurnLost,
)
from incident_squad.policy.routing import KEPT_TRYING, PERSONAL, next_try, repeated_in_doubt
from incident_squad.ports import Channel, Channels, Clock, Outbox
from incident_squad.steps.delivery_notes import DeliveryNotes

LEASE = timedelta(seconds=60)
"""How long a lane is one deliverer's: longer than its function may run."""

RUN = {True: timedelta(seconds=5), False: timedelta(seconds=30)}
"""How long a run goes on when something is due soon: a woken one, and that of the schedule."""

_POLL = timedelta(milliseconds=250)


class Delivered(Contract):
    """How many messages went out, failed (and will be tried again) or were refused for good.

    `uncertain` ones may have arrived, and are not sent again.
    `oldest_seconds` is how long the oldest one that is left has been waiting.
    """

    delivered: int = 0
    failed: int = 0
    refused: int = 0
    uncertain: int = 0
    waiting: int = 0
    oldest_seconds: float = 0.0


@dataclass(frozen=True)
class DeliverMessages:
    """Channels work side by side; within one, an incident's messages keep their order.

    A channel that does not answer is left alone for the rest of the run. `chance` gives numbers
    from 0 to 1. With `parallel` each channel has a thread of its own.
    """

    outbox: Outbox
    channels: Channels
    notes: DeliveryNotes
    clock: Clock
    chance: Callable[[], float]
    parallel: bool = True

    def __call__(self, event: dict[str, Any]) -> Delivered:
        """Deliver all that is due, or will be soon; `{"woken": true}` goes on for less long."""
        end = self.clock.now() + RUN[bool(event.get("woken"))]
        down: dict[str, datetime] = {}
        total = self._round(end, down)
        while self._pause(end, down):
            total = _sum(total, self._round(end, down))
        return self._with_rest(total)

    def _round(self, end: datetime, down: dict[str, datetime]) -> Delivered:
        by_channel: dict[str, list[Lane]] = {}
        for lane in self.outbox.lanes():
            if self.clock.now() >= down.get(lane.channel, self.clock.now()):
                by_channel.setdefault(lane.channel, []).append(lane)
        serve = partial(self._serve, end=end, down=down)
        if self.parallel and len(by_channel) > 1:
            with ThreadPoolExecutor(max_workers=min(16, len(by_channel))) as pool:
                return _sum(*pool.map(serve, by_channel.values()))
        return _sum(*map(serve, by_channel.values()))

    def _serve(
        self, lanes: Sequence[Lane], *, end: datetime, down: dict[str, datetime]
    ) -> Delivered:
        """All lanes of one channel, until it does not answer."""
        total = Delivered()
        for lane in lanes:
            if self.clock.now() >= end:
                break
            seized = self.outbox.seize(lane, self.clock.now() + LEASE)
            if seized is None:
                continue
            try:
                outcome, due_at = self._empty(seized)
            except TurnLost:
                continue  # somebody else goes on with it
            total = _sum(total, outcome)
            if due_at is not None:
                down[lane.channel] = due_at
                break
        return total

    def _empty(self, lane: Lane) -> tuple[Delivered, datetime | None]:
        """Everything that waits in a lane, in order. A failure ends it: then when to try again."""
        total = Delivered()
        for waiting in self._waiting(lane):
            lane = lane.model_copy(update={"lease_until": self.clock.now() + LEASE})
            begun = self.outbox.begin(waiting, lane)
            knows = True
            try:
                channel = self.channels.of(lane.channel)
                knows = channel.knows
                memory = self._deliver(channel, lane, begun)
            except MessageRefused as refusal:
                lane = self._refuse(lane, begun, str(refusal))
                total = _sum(total, Delivered(refused=1))
            except (TransientFailure, InvalidConfiguration) as failure:
                outcome, due_at = self._put_off(lane, begun, failure, knows=knows)
                return _sum(total, outcome), due_at
            else:
                lane = self._end(lane, begun, memory)
                total = _sum(total, _counted(memory))
        self.outbox.release(lane, None)
        return total, None

    def _deliver(self, channel: Channel, lane: Lane, begun: Delivery) -> Mapping[str, str] | None:
        """Hand it over; None when it may be there already and a second one would be a new one."""
        if begun.doubtful and not channel.knows:
            if not repeated_in_doubt(begun.message):
                return None
            self.notes.repeated(lane, begun)
        return channel.deliver(begun, lane.memory)

    def _waiting(self, lane: Lane) -> list[Delivery]:
        return [
            delivery
            for delivery in self.outbox.of_incident(lane.incident_id)
            if delivery.channel == lane.channel and delivery.status is DeliveryStatus.WAITING
        ]

    def _end(self, lane: Lane, begun: Delivery, memory: Mapping[str, str] | None) -> Lane:
        uncertain = memory is None
        status = DeliveryStatus.UNCERTAIN if uncertain else DeliveryStatus.DELIVERED
        ended = {
            "status": status,
            "doubtful": uncertain,
            "error": "",
            "ended_at": self.clock.now(),
            "message": _without_secrets(begun.message),
        }
        if uncertain:
            self.notes.uncertain(lane, begun)
        healthy = {"failures": 0, "error": "", "due_at": None}
        kept = lane.model_copy(update={"memory": {**lane.memory, **(memory or {})}, **healthy})
        self.outbox.finish(begun.model_copy(update=ended), kept)
        if lane.failures and not uncertain:
            self.notes.recovered(lane)
        return kept

    def _refuse(self, lane: Lane, begun: Delivery, why: str) -> Lane:
        ended = {
            "status": DeliveryStatus.REFUSED,
            "doubtful": False,
            "error": why[:500],
            "ended_at": self.clock.now(),
            "message": _without_secrets(begun.message),
        }
        self.notes.refused(lane, begun, why)
        self.outbox.finish(begun.model_copy(update=ended), lane)
        return lane

    def _put_off(
        self, lane: Lane, begun: Delivery, failure: Exception, *, knows: bool
    ) -> tuple[Delivered, datetime | None]:
        now = self.clock.now()
        if now - begun.created_at >= KEPT_TRYING:
            why = f"given up after {KEPT_TRYING.days} days: {failure}"
            self.outbox.release(self._refuse(lane, begun, why), None)
            return Delivered(refused=1), None
        down = failure if isinstance(failure, ChannelDown) else None
        asked = down.retry_after if down else None
        due_at = next_try(lane.failures + 1, asked, now, self.chance())
        error = str(failure)[:500]
        changes = {"failures": lane.failures + 1, "error": error, "due_at": due_at}
        put_off = lane.model_copy(update=changes)
        # Where a doubt can be cleared up, doubt is cheap; elsewhere only a real one counts.
        doubtful = begun.doubtful or (down.doubtful if down else knows)
        tried = begun.model_copy(update={"doubtful": doubtful, "error": error})
        self.outbox.release(put_off, tried)
        self.notes.failing(put_off)
        return Delivered(failed=1), due_at

    def _pause(self, end: datetime, down: dict[str, datetime]) -> bool:
        """Wait for what is due next; False when that is not before the end of this run."""
        now = self.clock.now()
        moments = [self._next(lane, now, down) for lane in self.outbox.lanes()]
        if not moments or min(moments) >= end:
            return False
        # A hair later, so that the lane is due whatever clocks round.
        self.clock.sleep(max(0.0, (min(moments) - now).total_seconds()) + 0.002)
        return True

    def _next(self, lane: Lane, now: datetime, down: dict[str, datetime]) -> datetime:
        if lane.lease_until is not None and lane.lease_until > now:
            return now + _POLL  # somebody else's turn: it may end at any moment
        return max(moment for moment in (now, lane.due_at, down.get(lane.channel)) if moment)

    def _with_rest(self, total: Delivered) -> Delivered:
        incidents = dict.fromkeys(lane.incident_id for lane in self.outbox.lanes())
        rest = [
            delivery.created_at
            for incident_id in incidents
            for delivery in self.outbox.of_incident(incident_id)
            if delivery.status is DeliveryStatus.WAITING
        ]
        age = (self.clock.now() - min(rest)).total_seconds() if rest else 0.0
        return total.model_copy(update={"waiting": len(rest), "oldest_seconds": max(0.0, age)})


def _without_secrets(message: Message) -> Message:
    """What is kept of an ended message: an approver's link decides, so it does not stay."""
    if message.kind not in PERSONAL:
        return message
    return message.model_copy(update={"body": "(was sent)", "link": None})


def _counted(memory: Mapping[str, str] | None) -> Delivered:
    return Delivered(uncertain=1) if memory is None else Delivered(delivered=1)


def _sum(*parts: Delivered) -> Delivered:
    return Delivered(
        delivered=sum(part.delivered for part in parts),
        failed=sum(part.failed for part in parts),
        refused=sum(part.refused for part in parts),
        uncertain=sum(part.uncertain for part in parts),
    )
