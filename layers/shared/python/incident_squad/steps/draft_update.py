"""DraftUpdate: write the status update of a state, and keep it as a draft."""

from collections.abc import Callable
from dataclasses import dataclass

from incident_squad.agents.communicator import (
    executive_summary,
    write_correction,
    write_progress,
    write_update,
)
from incident_squad.agents.facts import Facts, facts_of
from incident_squad.contracts import UpdateInput, UpdateOutput
from incident_squad.domain.model import ModelUse
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.update import StatusUpdate, UpdateState
from incident_squad.ports import Clock, IncidentStore, Knowledge, Timeline
from incident_squad.steps.model_use import as_cost, as_data
from incident_squad.steps.read_record import ReadRecord

Refiner = Callable[[Facts, StatusUpdate], tuple[StatusUpdate, ModelUse]]


@dataclass(frozen=True)
class DraftUpdate:
    """Drafts from the table of facts; a draft that is still good is not written again."""

    incidents: IncidentStore
    timeline: Timeline
    knowledge: Knowledge
    clock: Clock
    read_record: ReadRecord
    refiner: Refiner | None = None

    def __call__(self, request: UpdateInput) -> UpdateOutput:
        """Make sure that there is a draft."""
        return UpdateOutput(published=self.draft(request.incident_id, request.state).published)

    def draft(self, incident_id: str, state: UpdateState) -> StatusUpdate:
        """The update of this state: the stored one, or a new draft.

        A draft whose promise of the next update is already past is written anew.
        """
        record = self.read_record(incident_id)
        stored, now = record.update(state), self.clock.now()
        said = stored is not None and (stored.published or stored.number > 0)
        if stored and (said or not stored.next_due_at or stored.next_due_at > now):
            return stored
        facts = facts_of(record, self.knowledge.catalog, self.knowledge.runbooks)
        update, use = write_update(facts, state, now, self.knowledge.catalog), None
        if self.refiner:
            update, use = self.refiner(facts, update)
        self._record(incident_id, update, use)
        self.incidents.put_update(incident_id, update)
        return update

    def progress(self, incident_id: str, last: StatusUpdate) -> StatusUpdate:
        """The promised update after `last`, not stored yet."""
        record = self.read_record(incident_id)
        facts = facts_of(record, self.knowledge.catalog, self.knowledge.runbooks)
        return write_progress(facts, last, self.clock.now(), self.knowledge.catalog)

    def correction(self, incident_id: str, last: StatusUpdate, text: str) -> StatusUpdate:
        """A human's correction, not stored yet; raises PolicyViolation when it would leak."""
        record = self.read_record(incident_id)
        facts = facts_of(record, self.knowledge.catalog, self.knowledge.runbooks)
        return write_correction(facts, last, text, self.clock.now(), self.knowledge.catalog)

    def summary(self, incident_id: str) -> str:
        """What executives read when it is over."""
        record = self.read_record(incident_id)
        facts = facts_of(record, self.knowledge.catalog, self.knowledge.runbooks)
        return executive_summary(facts, self.clock.now())

    def _record(self, incident_id: str, update: StatusUpdate, use: ModelUse | None) -> None:
        note = f" ({update.fallback_reason})" if update.fallback_reason else ""
        self.timeline.append(
            incident_id,
            Entry(
                event="UpdateDrafted",
                summary=f"Drafted the update {update.state.value}{note}",
                actor=Actor.agent("communicator"),
                data={
                    "state": update.state.value,
                    "fallbackReason": update.fallback_reason,
                    **as_data(use),
                },
                engine=update.engine,
                **as_cost(use),
            ),
        )
