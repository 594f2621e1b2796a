"""A short memory for what is read often and changes rarely."""

from collections.abc import Callable
from datetime import datetime, timedelta

from incident_squad.domain.errors import TransientFailure
from incident_squad.ports import Clock


class Fresh:
    """Texts by name, read anew after a while. While their source is down, the last one serves."""

    def __init__(self, clock: Clock, lifetime: timedelta) -> None:
        self._clock = clock
        self._lifetime = lifetime
        self._known: dict[str, tuple[datetime, str]] = {}

    def get(self, name: str, read: Callable[[], str]) -> str:
        """The text; raises what `read` raises, but TransientFailure only when nothing is known."""
        now = self._clock.now()
        read_at, text = self._known.get(name, (None, ""))
        if read_at is not None and now - read_at < self._lifetime:
            return text
        try:
            text = read()
        except TransientFailure:
            if read_at is None:
                raise
            return text
        self._known[name] = (now, text)
        return text
