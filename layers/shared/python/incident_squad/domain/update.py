"""Status updates: what customers and colleagues are told."""

from enum import StrEnum

from pydantic import Field

from incident_squad.domain.triage import FLOOR
from incident_squad.domain.values import Moment, Value

PROMISE_BROKEN = "PromiseBroken"
"""The event that owns up to an update that customers were promised and that came late."""


class UpdateState(StrEnum):
    """The states of a public status page, in their order."""

    INVESTIGATING = "Investigating"
    IDENTIFIED = "Identified"
    MONITORING = "Monitoring"
    RESOLVED = "Resolved"


class UpdateKind(StrEnum):
    """Why an update was written: a new state, a promise that was due, or a mistake to mend."""

    STATE = "state"
    PROGRESS = "progress"
    CORRECTION = "correction"


class StatusUpdate(Value):
    """The texts of one update; `external` has passed the leak gate, or is the bare template.

    `public_name` is the heading on the status page. `next_due_at` is a promise to customers.
    `engine` made the text; `fallback_reason` says why another maker's text was not used.
    `executive` is what a model adds to the executive summary, empty while the incident is open.
    `number` is its place among all that is said about the incident, from 1; a draft has none.
    `told` is true once the outbox has it. `by` is the human who wrote it, `key` is what makes a
    repeated request of theirs the same one. `approval_id` is the request that customers wait for.
    """

    state: UpdateState
    at: Moment
    public_name: str
    external: str
    internal: str
    next_due_at: Moment | None = None
    published: bool = False
    engine: str = FLOOR
    fallback_reason: str = Field(default="")
    kind: UpdateKind = UpdateKind.STATE
    executive: str = ""
    number: int = Field(default=0, ge=0)
    told: bool = False
    by: str = ""
    key: str = ""
    approval_id: str = ""
