"""The communicator's model in the states that draft and publish."""

from dataclasses import dataclass

from incident_squad.agents.drafting import Drafting
from incident_squad.agents.facts import Facts
from incident_squad.agents.rails import Rails
from incident_squad.agents.writer import add_to, drafting
from incident_squad.domain.model import ModelUse
from incident_squad.domain.update import StatusUpdate
from incident_squad.domain.values import Severity
from incident_squad.ports import Knowledge
from incident_squad.steps.draft_notes import DraftNotes
from incident_squad.steps.refining import not_asked, or_floor

SECONDS = 6.0


@dataclass(frozen=True)
class RefineUpdate:
    """Adds to an update within its slice of time. With `notes` drafts are told as they grow."""

    rails: Rails
    knowledge: Knowledge
    notes: DraftNotes | None = None
    seconds: float = SECONDS

    def __call__(self, facts: Facts, floor: StatusUpdate) -> tuple[StatusUpdate, ModelUse]:
        """The update and how it was made. What nobody is told is not worth a model's time."""
        if facts.severity is Severity.SEV4:
            return floor, not_asked("nobody is told about SEV4")
        desk = self.rails.desk(facts.incident_id, self.seconds)
        catalog, gate = self.knowledge.catalog, floor.fallback_reason
        drafts = self._drafts(facts, floor)
        try:
            update, use = or_floor(floor, desk, lambda: add_to(floor, facts, catalog, desk, drafts))
        finally:
            if drafts:
                drafts.stop()
        if gate and update.fallback_reason != gate and gate not in update.fallback_reason:
            both = f"{gate}; {update.fallback_reason}"
            update = update.model_copy(update={"fallback_reason": both})
        self._withdraw(facts, floor, update, drafts)
        return update, use

    def _drafts(self, facts: Facts, floor: StatusUpdate) -> Drafting | None:
        notes = self.notes
        if notes is None:
            return None
        return drafting(
            floor,
            facts,
            self.knowledge.catalog,
            lambda draft: notes.written(facts.incident_id, floor.state, draft),
        )

    def _withdraw(
        self, facts: Facts, floor: StatusUpdate, update: StatusUpdate, drafts: Drafting | None
    ) -> None:
        """Say so when something was shown that the update does not say."""
        if self.notes is None or drafts is None:
            return
        told = drafts.told
        gone = (told.external and update.external == floor.external) or (
            told.internal and update.internal == floor.internal
        )
        if gone:
            reason = update.fallback_reason or "something else was written in the end"
            self.notes.withdrawn(facts.incident_id, floor.state, reason)
