"""Words that every part of the squad shares: enums and the base of all values."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer


class Value(BaseModel):
    """Base of every domain value: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Severity(StrEnum):
    """How bad it is; `SEV1` is the worst."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"

    @property
    def rank(self) -> int:
        """1 for SEV1 to 4 for SEV4: a lower rank is worse."""
        return int(self.value[3])

    def worse_than(self, other: "Severity") -> bool:
        """Whether this severity is more urgent than the other."""
        return self.rank < other.rank


class IncidentType(StrEnum):
    """What fails, and so which specialist acts."""

    DATABASE = "database"
    NETWORK = "network"
    APPLICATION = "application"
    SECURITY = "security"


class Risk(StrEnum):
    """How much a step can hurt."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for none to 3 for high."""
        return list(Risk).index(self)


class Environment(StrEnum):
    """Where a service or target lives."""

    PRODUCTION = "production"
    STAGING = "staging"


def as_utc(moment: datetime) -> datetime:
    """Refuse naive times, and keep every time in UTC with milliseconds."""
    if moment.tzinfo is None:
        message = "a time needs a time zone"
        raise ValueError(message)
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, as stored and shown: `2026-11-23T00:44:43.968Z`."""
    return as_utc(moment).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


Moment = Annotated[datetime, AfterValidator(as_utc), PlainSerializer(iso, when_used="json")]
