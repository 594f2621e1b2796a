"""Clocks that do not wait."""

from datetime import UTC, datetime, timedelta

_START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class FixedClock:
    """Stands still until somebody sleeps or sets `moment`; `slept` adds up the seconds slept."""

    def __init__(self, moment: datetime = _START) -> None:
        self.moment = moment
        self.slept = 0.0

    def now(self) -> datetime:
        """The set moment."""
        return self.moment

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.slept += seconds
        self.moment += timedelta(seconds=seconds)


class TickingClock(FixedClock):
    """Moves on by one tick with every look at it."""

    def __init__(
        self, moment: datetime = _START, tick: timedelta = timedelta(milliseconds=1)
    ) -> None:
        super().__init__(moment)
        self.tick = tick

    def now(self) -> datetime:
        """The set moment; the next look is one tick later."""
        seen = self.moment
        self.moment += self.tick
        return seen
