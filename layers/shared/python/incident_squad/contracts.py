"""What each state of the workflow is given and gives back.

The truth is in the table: states pass the incident's id and the few words that the workflow
itself has to choose by. A field's name is the workflow variable's name.
"""

from typing import Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from incident_squad.domain.approval import Decision
from incident_squad.domain.metric import MetricQuestion, MetricResult
from incident_squad.domain.plan import Applier, PlannedStep
from incident_squad.domain.update import UpdateState
from incident_squad.domain.values import IncidentType, Severity, Value


class Contract(Value):
    """Base of all contracts: camel case on the wire."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, alias_generator=to_camel
    )


class IncidentInput(Contract):
    """A state that only needs to know which incident."""

    incident_id: str


class TriageOutput(Contract):
    """What "Which specialist?" chooses by."""

    type: IncidentType
    severity: Severity


class InvestigateOutput(Contract):
    """Whether the specialist is sure; the diagnosis itself is stored."""

    conclusive: bool


class NotifyOnCallOutput(Contract):
    """Who was told."""

    recipients: tuple[str, ...]


class UpdateInput(Contract):
    """Which update to draft or publish."""

    incident_id: str
    state: UpdateState


class UpdateOutput(Contract):
    """Whether it is out."""

    published: bool


class SynthesizeOutput(Contract):
    """What "Who may apply the fix?" chooses by, and the places of the steps to run."""

    applier: Applier
    steps: tuple[int, ...]
    approval_seconds: int = Field(ge=1)


class RequestApprovalInput(Contract):
    """The task token goes straight to the table."""

    incident_id: str
    task_token: str


class RequestApprovalOutput(Contract):
    """What the waiting task is told by a decision."""

    decision: Decision
    approval_id: str


class RemediateInput(Contract):
    """One step of the plan, by its place."""

    incident_id: str
    step: int = Field(ge=0)


class RemediateOutput(Contract):
    """How the step ended."""

    status: Literal["applied", "skipped"]


class PreviewStepInput(Contract):
    """A step of a runbook, for an incident or else for a service; neither: no target is known."""

    runbook_id: str
    step_index: int = Field(ge=0)
    incident_id: str | None = None
    service: str | None = None


class PreviewStepOutput(Contract):
    """The step with its parameters and what it would change now, or why it is blocked."""

    step: PlannedStep


class QueryMetricsInput(Contract):
    """A question to a metric source, from somebody who holds no credentials for it."""

    question: MetricQuestion


class QueryMetricsOutput(Contract):
    """The answer; its status says how the look ended."""

    result: MetricResult


class UndoOutput(Contract):
    """How many steps were taken back, and whether anything is left that a human must look at."""

    undone: int
    left: int


class VerifyRecoveryOutput(Contract):
    """What "Recovered?" chooses by.

    `undo` is a no that takes the steps of the fix back first; after `tasks` people go on.
    """

    recovered: Literal["yes", "not_yet", "no", "undo", "tasks"]
    wait_seconds: int = Field(ge=1)


class WorkflowError(Contract):
    """What Step Functions knows of an error; its names are in Pascal case."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
    error: str = Field(default="", alias="Error")
    cause: str = Field(default="", alias="Cause")


class HandOverInput(Contract):
    """Why a human takes over. `state` is where the workflow left off."""

    incident_id: str
    reason: str
    error: WorkflowError | None = None


class Done(Contract):
    """A state that has nothing to say."""

    done: bool = True
