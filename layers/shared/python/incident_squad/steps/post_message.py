"""PostMessage: a notification goes into the outbox, and the deliverer is woken."""

from collections.abc import Callable
from dataclasses import dataclass

from incident_squad.domain.delivery import Message
from incident_squad.policy.routing import channels_for
from incident_squad.ports import Knowledge, Outbox


@dataclass(frozen=True)
class PostMessage:
    """Implements `Notifier`: once `send` returns the message is safe, whatever channels do.

    `wake` asks for a delivery right now; it must not fail: the schedule delivers anyway.
    """

    outbox: Outbox
    knowledge: Knowledge
    wake: Callable[[], None]

    def send(self, message: Message) -> None:
        """Put the message into the outbox; raises TransientFailure when the table is away.

        Nobody is woken for what was delivered before.
        """
        if self.outbox.put(message, channels_for(message, self.knowledge.catalog)):
            self.wake()
