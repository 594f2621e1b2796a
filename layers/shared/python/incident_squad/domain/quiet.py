"""What the operator does not want to hear of: maintenance windows and silences."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from incident_squad.domain.values import Moment, Value

Clock24 = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Glob = Annotated[str, Field(min_length=1, max_length=200)]


class Weekday(StrEnum):
    """Days of a weekly window."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Weekly(Value):
    """The same hours (UTC) on some days of each week.

    A window whose end is not after its start ends on the next day.
    """

    days: tuple[Weekday, ...] = Field(min_length=1)
    start: Clock24
    end: Clock24

    def covers(self, now: datetime) -> bool:
        """Whether the window is open at this moment."""
        return any(self._opened_on(now - timedelta(days=back), now) for back in (0, 1))

    def _opened_on(self, day: datetime, now: datetime) -> bool:
        if list(Weekday)[day.weekday()] not in self.days:
            return False
        start, end = _at(day, self.start), _at(day, self.end)
        return start <= now < (end if end > start else end + timedelta(days=1))


class Quiet(Value):
    """What is common to windows and silences.

    `matchers` are globs by label, all of which must match, whatever the case; `title`, `service`,
    `resource`, `environment`, `source` and `severity` (the sender's own label) count as labels.
    `reason` is shown to the sender and kept with the counters.
    """

    matchers: dict[str, Glob] = Field(default_factory=dict)
    reason: str = Field(min_length=1, max_length=300)
    sev1_passes: bool = False


class MaintenanceWindow(Quiet):
    """Planned work: alerts of these services (or that match) open nothing meanwhile.

    Either `start` and `end`, or `weekly`. With `sev1_passes` an alert that states a SEV1 is taken.
    """

    services: tuple[str, ...] = ()
    start: Moment | None = None
    end: Moment | None = None
    weekly: Weekly | None = None

    @model_validator(mode="after")
    def _whole(self) -> "MaintenanceWindow":
        once = self.start is not None and self.end is not None
        if once == (self.weekly is not None) or (self.start is None) != (self.end is None):
            raise ValueError("a window has either a start and an end, or a weekly schedule")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("a window ends after it starts")
        if not self.services and not self.matchers:
            raise ValueError("a window names services or matchers: it never covers everything")
        return self

    def open_at(self, now: datetime) -> bool:
        """Whether work goes on at this moment."""
        if self.weekly is not None:
            return self.weekly.covers(now)
        return self.start is not None and self.end is not None and self.start <= now < self.end


class Silence(Quiet):
    """Alerts that match open nothing until it expires."""

    matchers: dict[str, Glob] = Field(min_length=1)
    expires: Moment

    def open_at(self, now: datetime) -> bool:
        """Whether it still holds."""
        return now < self.expires


def _at(day: datetime, clock: str) -> datetime:
    hour, _, minute = clock.partition(":")
    return day.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
