"""What all acts on a deployment share: their contract, and patches that hold to a known state."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from incident_squad.adapters.k8s_deployment import Deployment
from incident_squad.domain.errors import InvalidParameter, SquadError, StepFailed
from incident_squad.ports import Clock

Rows = Sequence[Mapping[str, str]]


class Act(Protocol):
    """One act and its way back. Errors are those of `Deed` for AWS."""

    def preview(self, now: Deployment, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """One row for each change."""
        ...

    def apply(self, now: Deployment, rows: Rows, key: str, clock: Clock) -> dict[str, Any]:
        """Make the changes of these rows."""
        ...

    def undo(self, now: Deployment, result: Mapping[str, Any]) -> dict[str, Any]:
        """Take back what this very apply did."""
        ...


def settle(
    now: Deployment, patch: Callable[[], None], took_effect: Callable[[Deployment], bool]
) -> None:
    """Patch; where the answer is lost, look whether the change is there."""
    try:
        patch()
    except StepFailed as error:
        try:
            there = took_effect(now.fresh())
        except SquadError as blind:
            raise StepFailed(f"nobody knows whether {now.label} was changed: {error}") from blind
        if not there:
            raise StepFailed(f"{error}; so far {now.label} is as it was") from error


def merge(now: Deployment, spec: Mapping[str, Any]) -> None:
    """A strategic merge of its spec, refused when it has changed since it was read."""
    patch = {"metadata": {"resourceVersion": now.version}, "spec": spec}
    now.api.merge(now.namespace, now.name, patch)


def single(rows: Rows, now: Deployment) -> Mapping[str, str]:
    """The one row of a plan, if it is about this deployment."""
    require(len(rows) == 1 and rows[0].get("deployment") == now.label, now)
    return rows[0]


def require(fits: bool, now: Deployment) -> None:  # noqa: FBT001 - what must be so
    """Raise InvalidParameter unless the deployment is as the plan says."""
    if not fits:
        raise InvalidParameter(f"{now.label} is not as the plan says any more")
