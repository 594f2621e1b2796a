"""What a model adds to the floor's answers, and why it never costs more than its slice of time.

Each refiner takes the floor's answer and gives one that is at least as good. Whatever goes wrong
with the model, the floor's own answer comes back, and says why.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self, TypeVar

from incident_squad.agents.rails import Desk
from incident_squad.domain.errors import ModelFailed
from incident_squad.domain.incident import Incident
from incident_squad.domain.model import ModelUse, Trouble
from incident_squad.domain.triage import FLOOR
from incident_squad.ports import Clock


class Answer(Protocol):
    """An answer that knows its maker: a triage, a diagnosis, an update."""

    def model_copy(self, *, update: dict[str, Any]) -> Self:
        """The answer with some fields changed."""
        ...


A = TypeVar("A", bound=Answer)


@dataclass(frozen=True)
class Slice:
    """The time that a model gets: `seconds` at most, and done when the incident is `by` old.

    The age counts for an incident's first attempt only: what is resumed is late anyway.
    """

    seconds: float
    by: float

    def left(self, incident: Incident, clock: Clock, began: datetime | None = None) -> float:
        """Seconds that the model may take now."""
        now = clock.now()
        start = incident.opened_at if incident.attempt == 1 else (began or now)
        return min(self.seconds, self.by - (now - start).total_seconds())


def or_floor(floor: A, desk: Desk, refine: Callable[[], A]) -> tuple[A, ModelUse]:
    """The refined answer, or the floor's with the reason why."""
    try:
        return refine(), desk.use()
    except ModelFailed as failure:
        reason = str(failure)
    except Exception as error:  # noqa: BLE001 - a defect here must never stop an incident
        reason = f"{Trouble.MALFORMED}: {type(error).__name__} while its answer was read"
    return floor.model_copy(update={"fallback_reason": reason}), desk.use(reason)


def not_asked(reason: str) -> ModelUse:
    """A use that cost nothing, because nobody was asked."""
    return ModelUse(engine=FLOOR, reason=reason)
