"""The plan: exactly what would be done, so that an approval can bind to it."""

import hashlib
import json
from enum import StrEnum
from typing import Any

from pydantic import Field

from incident_squad.domain.runbook import ParameterValue, StepCondition
from incident_squad.domain.values import Environment, Moment, Risk, Value


class Applier(StrEnum):
    """Who may apply a plan."""

    HUMAN = "human"
    AUTO = "auto"
    NOBODY = "nobody"
    UNNEEDED = "unneeded"


class StepStatus(StrEnum):
    """Where a step stands. `applying` after a crash means: unknown, look before you act."""

    PLANNED = "planned"
    CONDITIONAL = "conditional"
    APPLYING = "applying"
    APPLIED = "applied"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"
    UNDO_FAILED = "undo_failed"


class PlannedStep(Value):
    """A runbook step with everything resolved. `preview` lists what it would change.

    `runbook_digest` pins the runbook's content; `blocked` says why the squad cannot run the step.
    """

    runbook_id: str
    step_index: int = Field(ge=0)
    runbook_digest: str
    title: str
    kind: str
    command: str
    target: str | None = None
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    preview: tuple[dict[str, str], ...] = ()
    mutates: bool
    risk: Risk
    undo: str = ""
    when: StepCondition = StepCondition.ALWAYS
    blocked: str | None = None

    @property
    def by_people(self) -> bool:
        """Whether only a person can do it."""
        return self.kind == "manual"


class Plan(Value):
    """The steps in order. Equal content has an equal hash; any change has another."""

    incident_id: str
    runbook_id: str | None
    environment: Environment
    steps: tuple[PlannedStep, ...]
    estimated_time: str
    applier: Applier
    why: tuple[str, ...] = ()
    created_at: Moment

    @property
    def risk(self) -> Risk:
        """The risk of its riskiest step that is to run."""
        risks = (step.risk for step in self.to_run())
        return max(risks, key=lambda risk: risk.rank, default=Risk.NONE)

    @property
    def hash(self) -> str:
        """SHA-256 over all of it: what an approval binds to."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_run(self) -> tuple[PlannedStep, ...]:
        """The steps that the squad runs now."""
        return tuple(self.steps[place] for place in self.indexes_to_run())

    def indexes_to_run(self) -> tuple[int, ...]:
        """Their places in `steps`."""
        return tuple(
            place
            for place, step in enumerate(self.steps)
            if step.when is StepCondition.ALWAYS and not step.by_people
        )

    def tasks(self) -> tuple[PlannedStep, ...]:
        """The steps that are part of the repair now and that only people can do."""
        return tuple(
            step for step in self.steps if step.when is StepCondition.ALWAYS and step.by_people
        )


class Effect(StrEnum):
    """What a step did to its target, as far as anybody knows."""

    NONE = "none"
    UNKNOWN = "unknown"
    DONE = "done"


class StepRecord(Value):
    """What became of a step of the plan; `result` is what apply returned, for verify and undo.

    `acted_on` are the rows of the plan's preview that were still there. A failed step with the
    effect `done` has something to take back; with `unknown` it is for a human to look at.
    """

    place: int = Field(ge=0)
    plan_hash: str
    status: StepStatus
    effect: Effect = Effect.NONE
    started_at: Moment
    finished_at: Moment | None = None
    acted_on: tuple[dict[str, str], ...] = ()
    result: dict[str, Any] = Field(default_factory=dict)
    detail: str = ""
