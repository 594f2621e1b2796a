"""Messages to people, and what became of each on its way through a channel."""

from enum import StrEnum

from pydantic import Field

from incident_squad.domain.values import Moment, Value

TOPIC = "topic"
"""The channel that is always there: the notifications topic."""


class Message(Value):
    """A notification. `kind` is what it is about; `recipients` are e-mail addresses or #channels.

    `id` is the same when the same message is sent again. `urgent` pages instead of informing.
    `details` are the facts that channels build their own forms from (`severity`, `state`,
    `external`, ...); `external` has passed the leak gate.
    """

    id: str
    incident_id: str
    kind: str
    recipients: tuple[str, ...]
    subject: str = Field(max_length=200)
    body: str = Field(max_length=20_000)
    urgent: bool = False
    link: str | None = None
    details: dict[str, str] = Field(default_factory=dict)


class DeliveryStatus(StrEnum):
    """Where a delivery stands; everything but `waiting` is final.

    `uncertain` is what was sent once, and nobody can find out whether it got there.
    """

    WAITING = "waiting"
    DELIVERED = "delivered"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"


class Delivery(Value):
    """One message on its way through one channel; `number` is its place among an incident's.

    `doubtful` means that an attempt was begun whose end nobody knows: it may have got through.
    """

    message: Message
    channel: str
    created_at: Moment
    number: int = Field(default=0, ge=0)
    status: DeliveryStatus = DeliveryStatus.WAITING
    attempts: int = 0
    tried_at: Moment | None = None
    doubtful: bool = False
    ended_at: Moment | None = None
    error: str = ""


class Lane(Value):
    """The messages of one incident through one channel: they leave in their order, one at a time.

    `memory` is what the channel must know next time (a thread, the vendor's id of the incident).
    `failures` in a row put the next try off until `due_at`. `lease_until` ends a deliverer's turn;
    `turn` counts them, so that one whose turn is over can write nothing any more.
    """

    incident_id: str
    channel: str
    memory: dict[str, str] = Field(default_factory=dict)
    failures: int = 0
    error: str = ""
    due_at: Moment | None = None
    lease_until: Moment | None = None
    turn: int = Field(default=0, ge=0)
