"""What became of the alerts of a day: all that came in, as one of four outcomes each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.outcome import Count, OutcomeKind, added
from incident_squad.ports import Clock, IncidentStore

_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})", re.ASCII)
_KINDS = (
    OutcomeKind.OPENED,
    OutcomeKind.ATTACHED,
    OutcomeKind.SUPPRESSED,
    OutcomeKind.REJECTED,
)


@dataclass(frozen=True)
class AlertAccounts:
    """Reads the counters of a day."""

    incidents: IncidentStore
    clock: Clock

    def __call__(self, day: str | None) -> dict[str, Any]:
        """The accounts of a day (`YYYY-MM-DD`, UTC), today's by default; raises InvalidParameter.

        `received` is the sum of the outcomes; `counts` has them by source and reason.
        """
        parts = _DAY.fullmatch(day or f"{self.clock.now():%Y%m%d}")
        if parts is None:
            raise InvalidParameter("a day is written YYYY-MM-DD")
        counts = _accounted(self.incidents.counted("".join(parts.groups())))
        outcomes = {
            kind.value: sum(count.number for count in counts if count.outcome is kind)
            for kind in _KINDS
        }
        return {
            "day": "-".join(parts.groups()),
            "received": sum(outcomes.values()),
            "outcomes": outcomes,
            "counts": [_shown(count) for count in counts],
        }


def _accounted(counts: Sequence[Count]) -> Sequence[Count]:
    return added([c.model_copy(update={"outcome": c.outcome.accounted}) for c in counts])


def _shown(count: Count) -> dict[str, Any]:
    return {
        "source": count.source,
        "outcome": count.outcome.value,
        "reason": count.cause.value,
        "number": count.number,
    }
