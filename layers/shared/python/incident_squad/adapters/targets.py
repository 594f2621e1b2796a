"""What adapters of targets share: the target of a step, its arguments, and how a look ended."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from incident_squad.adapters.aws_actions.calls import Denied, Missing
from incident_squad.domain.errors import (
    InvalidConfiguration,
    InvalidParameter,
    SquadError,
    TargetUnavailable,
)
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.runbook import ParameterValue
from incident_squad.policy.parameters import fill
from incident_squad.ports import Clock, Knowledge

TargetT = TypeVar("TargetT")


class NotDone(TargetUnavailable):
    """Something was wrong before the act: nothing was changed."""


def target_of(knowledge: Knowledge, name: str | None, kind: type[TargetT]) -> TargetT:
    """The target of this name, if it is of this kind; raises InvalidConfiguration."""
    found = knowledge.catalog.targets.get(name or "")
    if not isinstance(found, kind):
        raise InvalidConfiguration(f"'{name}' is not a target of this kind in the catalogue")
    return found


def filled(
    arguments: Mapping[str, ParameterValue],
    parameters: Mapping[str, ParameterValue],
    preview: Sequence[Mapping[str, str]] = (),
    result: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The arguments with every reference replaced."""
    return {n: fill(value, parameters, preview, result) for n, value in arguments.items()}


def filled_for_probe(
    arguments: Mapping[str, ParameterValue], names: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of a probe: a step gives its results as `result_<key>`."""
    parameters = {name: value for name, value in names.items() if not name.startswith("result_")}
    gave = {n.removeprefix("result_"): v for n, v in names.items() if n.startswith("result_")}
    return filled(arguments, parameters, (), gave)


def require_arguments(given: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    """Raise InvalidParameter unless exactly the known arguments are given."""
    odd = sorted(set(given) ^ set(known))
    if odd:
        raise InvalidParameter(f"'{odd[0]}' is missing or no argument of '{what}'")


def as_not_done(error: SquadError) -> SquadError:
    """A refusal before the act says that nothing was changed; other errors stay what they are."""
    if isinstance(error, InvalidParameter | InvalidConfiguration):
        return NotDone(str(error))
    return error


def ended_badly(error: SquadError) -> EvidenceStatus:
    """What an error means for a look."""
    if isinstance(error, Denied):
        return EvidenceStatus.DENIED
    if isinstance(error, Missing | InvalidConfiguration):
        return EvidenceStatus.NOT_CONFIGURED
    return EvidenceStatus.ERROR


def evidence(
    clock: Clock,
    source: str,
    query: str,
    status: EvidenceStatus,
    **more: Any,  # noqa: ANN401
) -> Evidence:
    """An observation of now, without a number yet."""
    return Evidence(
        id="",
        source=source,
        query=query[:2000],
        status=status,
        observed_at=clock.now(),
        **more,
    )
