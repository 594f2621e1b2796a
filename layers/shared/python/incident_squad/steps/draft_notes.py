"""What the timeline tells of drafts while a model writes them: whoever watches reads along."""

from contextlib import suppress
from dataclasses import dataclass

from incident_squad.agents.drafting import Draft
from incident_squad.domain.errors import SquadError
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.update import UpdateState
from incident_squad.ports import Timeline

DRAFT_WRITTEN = "DraftWritten"
DRAFT_WITHDRAWN = "DraftWithdrawn"
_WRITER = Actor.agent("communicator")


@dataclass(frozen=True)
class DraftNotes:
    """Writes drafts down as drafts. They are no acts: when they can't be written, none are."""

    timeline: Timeline

    def written(self, incident_id: str, state: UpdateState, draft: Draft) -> bool:
        """Tell one draft; False when it could not be written."""
        try:
            self.timeline.append(
                incident_id,
                Entry(
                    event=DRAFT_WRITTEN,
                    summary=f"Draft {draft.number} of the update {state.value}: "
                    f"{draft.external or draft.internal or 'held back'}"[:2000],
                    actor=_WRITER,
                    data={
                        "state": state.value,
                        "number": draft.number,
                        "draft": True,
                        "external": draft.external,
                        "internal": draft.internal,
                    },
                ),
            )
        except SquadError:
            return False
        return True

    def withdrawn(self, incident_id: str, state: UpdateState, reason: str) -> None:
        """Tell that drafts do not count, as far as that can be told."""
        with suppress(SquadError):
            self.timeline.append(
                incident_id,
                Entry(
                    event=DRAFT_WITHDRAWN,
                    summary=f"The drafts of the update {state.value} do not count: {reason}"[:2000],
                    actor=_WRITER,
                    data={"state": state.value, "draft": True, "reason": reason[:500]},
                ),
            )
