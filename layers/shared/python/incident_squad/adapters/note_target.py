"""Steps that are only a line on the timeline: the step's own event there is the act."""

from collections.abc import Mapping, Sequence
from typing import Any

from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import NoteAction, ParameterValue, Step


class NoteExecutor:
    """Implements `Executor` for notes: nothing is touched, so nothing is taken back."""

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        """A note would change nothing."""
        del target, parameters
        _note(step)
        return ()

    def apply(self, step: Step, planned: PlannedStep, idempotency_key: str) -> Mapping[str, Any]:
        """Give the text, for the timeline."""
        del planned, idempotency_key
        return {"note": _note(step)}

    def undo(
        self, step: Step, planned: PlannedStep, result: Mapping[str, Any], idempotency_key: str
    ) -> Mapping[str, Any]:
        """The timeline is never changed: there is nothing to do."""
        del planned, result, idempotency_key
        _note(step)
        return {}


def _note(step: Step) -> str:
    if not isinstance(step.action, NoteAction):
        raise InvalidParameter(f"an action of kind '{step.kind}' is not a note")
    return step.action.text
