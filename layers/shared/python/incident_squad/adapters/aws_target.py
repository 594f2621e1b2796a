"""Looks at and acts on AWS targets, by the names of `policy/aws_actions.py`."""

from collections.abc import Mapping, Sequence
from typing import Any

from incident_squad.adapters.aws_actions.place import Clients, Deed, Place
from incident_squad.adapters.aws_actions.registry import DEEDS
from incident_squad.adapters.aws_actions.registry import READINGS as LOOKS
from incident_squad.adapters.targets import (
    as_not_done,
    ended_badly,
    evidence,
    filled,
    filled_for_probe,
    require_arguments,
    target_of,
)
from incident_squad.domain.errors import (
    InvalidConfiguration,
    InvalidParameter,
    SquadError,
    StepFailed,
)
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import Action, AwsAction, AwsProbe, ParameterValue, Probe, Step
from incident_squad.domain.targets import AwsTarget
from incident_squad.policy.aws_actions import ACTIONS, READINGS, AwsReading
from incident_squad.ports import Clock, Knowledge


class _Places:
    """Turns the name of a target into a place to work at."""

    def __init__(self, knowledge: Knowledge, clients: Clients, clock: Clock) -> None:
        self._knowledge = knowledge
        self._clients = clients
        self._clock = clock

    def place(self, name: str | None, needs: AwsReading) -> Place:
        """The place; raises InvalidConfiguration when the target lacks what is needed."""
        target = target_of(self._knowledge, name, AwsTarget)
        for field in needs.needs:
            if not getattr(target, field):
                raise InvalidConfiguration(f"the target '{name}' names no {field}")
        policies = self._knowledge.catalog.policies
        return Place(f"{name}", target, self._clients, policies, self._clock)


class AwsProber:
    """Implements `Prober` with the function's own role, which can read and nothing else."""

    def __init__(self, knowledge: Knowledge, clients: Clients, clock: Clock) -> None:
        self._places = _Places(knowledge, clients, clock)
        self._clock = clock

    def probe(self, probe: Probe, target: str | None, parameters: Mapping[str, Any]) -> Evidence:
        """Ask one reading; what goes wrong is in the evidence's status."""
        source = f"aws:{target or 'none'}"
        if not isinstance(probe, AwsProbe):
            return evidence(self._clock, source, "", EvidenceStatus.NOT_CONFIGURED)
        try:
            needs = READINGS.get(probe.reading)
            if needs is None:
                raise InvalidConfiguration(f"there is no reading '{probe.reading}'")
            arguments = filled_for_probe(probe.arguments, parameters)
            require_arguments(arguments, needs.arguments, probe.reading)
            value = LOOKS[probe.reading](self._places.place(target, needs), arguments)
        except SquadError as error:
            status = ended_badly(error)
            return evidence(self._clock, source, probe.reading, status, detail=str(error)[:500])
        return evidence(self._clock, source, probe.reading, EvidenceStatus.OK, value=value)


class AwsExecutor:
    """Implements `Executor` for AWS steps; the role of Remediate bounds it a second time."""

    def __init__(self, knowledge: Knowledge, clients: Clients, clock: Clock) -> None:
        self._places = _Places(knowledge, clients, clock)

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        """One row for each change that apply would make."""
        deed, place, arguments = self._ready(step.action, target, parameters)
        return deed.preview(place, arguments)

    def apply(self, step: Step, planned: PlannedStep, idempotency_key: str) -> Mapping[str, Any]:
        """Make the changes that are listed; raises TargetUnavailable while none was made."""
        if not planned.preview:
            return {}
        try:
            deed, place, arguments = self._ready(step.action, planned.target, planned.parameters)
            return deed.apply(place, arguments, planned.preview, idempotency_key)
        except SquadError as error:
            raise as_not_done(error) from error

    def undo(
        self, step: Step, planned: PlannedStep, result: Mapping[str, Any], idempotency_key: str
    ) -> Mapping[str, Any]:
        """Take back what apply did, by the act that is its counterpart."""
        del idempotency_key  # an undo looks at what is there: a second one finds it done
        action = _aws(step.action)
        back = step.undo.action if step.undo else None
        if not isinstance(back, AwsAction) or back.action != ACTIONS[action.action].undo:
            raise StepFailed(f"'{step.title}' has no undo that takes it back")
        if not result:
            return {}
        place = self._places.place(planned.target, ACTIONS[action.action])
        return DEEDS[action.action].undo(place, result)

    def _ready(
        self, action: Action, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> tuple[Deed, Place, dict[str, Any]]:
        wanted = _aws(action)
        spec = ACTIONS[wanted.action]
        arguments = filled(wanted.arguments, parameters)
        require_arguments(arguments, spec.arguments, wanted.action)
        return DEEDS[wanted.action], self._places.place(target, spec), arguments


def _aws(action: Action) -> AwsAction:
    if not isinstance(action, AwsAction):
        raise InvalidParameter(f"an action of kind '{action.kind}' is not AWS")
    if action.action not in ACTIONS:
        raise InvalidParameter(f"there is no AWS action '{action.action}'")
    return action
