"""The notifications topic: everybody who subscribed, whatever else is configured."""

from collections.abc import Mapping

from incident_squad.domain.delivery import Delivery
from incident_squad.ports import Notifier


class Topic:
    """Implements `Channel` over what publishes to SNS; the message's id is an attribute."""

    knows = True

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    def deliver(self, waiting: Delivery, memory: Mapping[str, str]) -> Mapping[str, str]:
        """Publish."""
        self._notifier.send(waiting.message)
        return memory
