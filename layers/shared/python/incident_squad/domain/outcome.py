"""What became of an alert: each ends as exactly one of these, and is counted as that."""

from collections.abc import Sequence
from enum import StrEnum

from pydantic import Field

from incident_squad.domain.values import Value

UNKNOWN_SOURCE = "unknown"
"""The source of a request whose sender is not even claimed."""


class OutcomeKind(StrEnum):
    """The ways in which an alert can end."""

    OPENED = "opened"
    ATTACHED = "attached"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"
    IGNORED = "ignored"
    REJECTED = "rejected"

    @property
    def accounted(self) -> "OutcomeKind":
        """One of the four that every alert is accounted for as.

        A resolve is attached to what it resolves; what carries no alert is suppressed.
        """
        return _ACCOUNTED.get(self, self)


_ACCOUNTED = {
    OutcomeKind.RESOLVED: OutcomeKind.ATTACHED,
    OutcomeKind.IGNORED: OutcomeKind.SUPPRESSED,
}


class Cause(StrEnum):
    """Why an alert ended so: the few words that counters are kept by."""

    NEW = "new"
    SAME_FAULT = "same_fault"
    FIRED_AGAIN = "fired_again"
    SENT_AGAIN = "sent_again"
    RESOLVED = "resolved_at_the_source"
    NOTED = "noted"
    SETTLING = "settling"
    LATE = "late_delivery"
    NOTHING_OPEN = "nothing_open"
    ALREADY_NOTED = "already_noted"
    MAINTENANCE = "maintenance"
    SILENCED = "silenced"
    NO_ALERT = "no_alert"
    OUR_OWN = "our_own_page"
    SUBSCRIPTION = "subscription"
    MALFORMED = "malformed"
    UNPROVEN = "unproven"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    OUT_OF_TIME = "out_of_time"
    NO_SUCH_SOURCE = "no_such_source"
    OTHER = "other"


class Outcome(Value):
    """What became of one alert, where it went, and why, in words for the sender."""

    outcome: OutcomeKind
    incident_id: str | None = None
    reason: str
    cause: Cause = Cause.OTHER


class Count(Value):
    """How many alerts of a source ended in one way for one cause; negative takes back."""

    source: str = Field(max_length=20)
    outcome: OutcomeKind
    cause: Cause
    number: int = 1


def added(counts: Sequence[Count]) -> tuple[Count, ...]:
    """The same counts, one of each kind, in a fixed order."""
    sums: dict[tuple[str, OutcomeKind, Cause], int] = {}
    for count in counts:
        kind = (count.source, count.outcome, count.cause)
        sums[kind] = sums.get(kind, 0) + count.number
    return tuple(
        Count(source=source, outcome=outcome, cause=cause, number=number)
        for (source, outcome, cause), number in sorted(sums.items())
        if number
    )
