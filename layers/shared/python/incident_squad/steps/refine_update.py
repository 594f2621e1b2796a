"""The communicator's model in the states that draft and publish."""

from dataclasses import dataclass

from incident_squad.agents.facts import Facts
from incident_squad.agents.rails import Rails
from incident_squad.agents.writer import add_to
from incident_squad.domain.model import ModelUse
from incident_squad.domain.update import StatusUpdate
from incident_squad.domain.values import Severity
from incident_squad.ports import Knowledge
from incident_squad.steps.refining import not_asked, or_floor

SECONDS = 6.0


@dataclass(frozen=True)
class RefineUpdate:
    """Adds to an update within its slice of time."""

    rails: Rails
    knowledge: Knowledge
    seconds: float = SECONDS

    def __call__(self, facts: Facts, floor: StatusUpdate) -> tuple[StatusUpdate, ModelUse]:
        """The update and how it was made. What nobody is told is not worth a model's time."""
        if facts.severity is Severity.SEV4:
            return floor, not_asked("nobody is told about SEV4")
        desk = self.rails.desk(facts.incident_id, self.seconds)
        catalog = self.knowledge.catalog
        gate = floor.fallback_reason
        update, use = or_floor(floor, desk, lambda: add_to(floor, facts, catalog, desk))
        if gate and update.fallback_reason != gate and gate not in update.fallback_reason:
            both = f"{gate}; {update.fallback_reason}"
            update = update.model_copy(update={"fallback_reason": both})
        return update, use
