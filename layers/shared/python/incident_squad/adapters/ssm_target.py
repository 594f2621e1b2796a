"""Runs the Systems Manager documents that a target names, and no other."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from incident_squad.adapters.aws_actions.place import Clients
from incident_squad.adapters.ssm_runs import Run, SsmRuns
from incident_squad.adapters.targets import as_not_done, filled, require_arguments, target_of
from incident_squad.domain.errors import InvalidParameter, SquadError, StepFailed
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import Action, ParameterValue, SsmAction, Step
from incident_squad.domain.targets import SsmDocument, SsmTarget
from incident_squad.ports import Clock, Knowledge

Arguments = Mapping[str, str]


class SsmExecutor:
    """Implements `Executor` for documents. A document is trusted to do what its name says."""

    def __init__(self, knowledge: Knowledge, clients: Clients, clock: Clock) -> None:
        self._knowledge = knowledge
        self._clients = clients
        self._clock = clock

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        """One row for each instance, or one for an Automation, with all parameters."""
        action = _ssm(step.action)
        document, arguments = self._allowed(action, target, filled(action.arguments, parameters))
        return _rows(action.document, document, arguments)

    def apply(self, step: Step, planned: PlannedStep, idempotency_key: str) -> Mapping[str, Any]:
        """Run it to its end; raises TargetUnavailable when it was not started."""
        action = _ssm(step.action)
        try:
            given = filled(action.arguments, planned.parameters)
            document, arguments = self._allowed(action, planned.target, given)
            rows = _rows(action.document, document, arguments)
            if step.mutates and [dict(row) for row in planned.preview] != rows:
                raise InvalidParameter("the planned run is not this one")
            if document.mutates and not step.mutates:
                raise InvalidParameter(f"'{action.document}' changes something, this step must not")
            return self._run(action, planned.target, arguments, idempotency_key, step)
        except SquadError as error:
            raise as_not_done(error) from error

    def undo(
        self, step: Step, planned: PlannedStep, result: Mapping[str, Any], idempotency_key: str
    ) -> Mapping[str, Any]:
        """Run the undo's document; its arguments may hold `$result.key`."""
        if step.undo is None or step.undo.action is None:
            raise StepFailed(f"'{step.title}' has no undo")
        action = _ssm(step.undo.action)
        given = filled(action.arguments, planned.parameters, planned.preview, result)
        _, arguments = self._allowed(action, planned.target, given)
        return self._run(action, planned.target, arguments, idempotency_key, step)

    def _allowed(
        self, action: SsmAction, target: str | None, given: Mapping[str, Any]
    ) -> tuple[SsmDocument, Arguments]:
        found = target_of(self._knowledge, target, SsmTarget)
        document = found.documents.get(action.document)
        if document is None:
            raise InvalidParameter(f"'{action.document}' is not among the documents of '{target}'")
        require_arguments(given, tuple(document.parameters), action.document)
        for name, pattern in document.parameters.items():
            if not re.fullmatch(pattern, str(given[name]), re.ASCII):
                raise InvalidParameter(f"'{name}' does not fit {pattern}")
        return document, {name: str(value) for name, value in given.items()}

    def _run(
        self, action: SsmAction, target: str | None, arguments: Arguments, key: str, step: Step
    ) -> dict[str, Any]:
        found = target_of(self._knowledge, target, SsmTarget)
        runs = SsmRuns(self._clients("ssm", found.region), self._clock)
        document = found.documents[action.document]
        return runs.run(
            Run(
                document=action.document,
                parameters={name: [value] for name, value in arguments.items()},
                instances=document.instances if document.type == "command" else (),
                key=key,
                seconds=step.timeout_seconds,
            )
        )


def _ssm(action: Action) -> SsmAction:
    if not isinstance(action, SsmAction):
        raise InvalidParameter(f"an action of kind '{action.kind}' is not a document")
    return action


def _rows(name: str, document: SsmDocument, arguments: Arguments) -> list[dict[str, str]]:
    sets = {f"sets {parameter}": value for parameter, value in sorted(arguments.items())}
    if document.type == "automation":
        return [{"document": name, **sets}]
    return [{"document": name, "instance": instance, **sets} for instance in document.instances]
