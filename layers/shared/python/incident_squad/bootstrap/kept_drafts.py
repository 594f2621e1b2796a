"""Drafts of which a transcript is kept."""

from collections.abc import Callable
from dataclasses import dataclass

from incident_squad.contracts import UpdateInput
from incident_squad.domain.update import StatusUpdate, UpdateState
from incident_squad.steps.draft_update import DraftUpdate


@dataclass(frozen=True, kw_only=True)
class KeptDrafts(DraftUpdate):
    """Drafts as ever, on tape."""

    on_tape: Callable[[UpdateInput], StatusUpdate]

    def draft(self, incident_id: str, state: UpdateState) -> StatusUpdate:
        """The update of this state: the stored one, or a new draft."""
        return self.on_tape(UpdateInput(incident_id=incident_id, state=state))
