"""Where an action works: one target of the catalogue, and clients for its account."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from incident_squad.domain.catalog import Policies
from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.targets import AwsTarget
from incident_squad.ports import Clock

Client = Any
"""boto3 makes its clients at run time."""
Rows = Sequence[Mapping[str, str]]
Clients = Callable[[str, str | None], Client]
"""Gives the client of a service, in a region or in the function's own."""


@dataclass(frozen=True)
class Place:
    """One AWS target with what is needed to work on it."""

    name: str
    target: AwsTarget
    clients: Clients
    policies: Policies
    clock: Clock

    def client(self, service: str, region: str | None = None) -> Client:
        """The client of a service, in the target's region unless another one is asked for."""
        return self.clients(service, region or self.target.region)


class Deed(Protocol):
    """One act in AWS and its way back; see `policy/aws_actions.py` for its name and arguments.

    `preview` and `apply` raise TargetUnavailable while nothing has been changed. Once something
    may have been, they raise StepFailed and say what is where.
    """

    def preview(self, place: Place, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """One row for each change that apply would make; none when there is nothing to do."""
        ...

    def apply(
        self, place: Place, arguments: Mapping[str, Any], rows: Rows, key: str
    ) -> dict[str, Any]:
        """Make the changes of these rows and no other; gives what undo needs."""
        ...

    def undo(self, place: Place, result: Mapping[str, Any]) -> dict[str, Any]:
        """Take back what this very apply did; what others changed since is left alone."""
        ...


def text(arguments: Mapping[str, Any], name: str) -> str:
    """An argument that must be a text."""
    value = arguments.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidParameter(f"'{name}' must be a text")
    return value


def number(arguments: Mapping[str, Any], name: str, low: int, high: int) -> int:
    """An argument that must be a whole number within bounds."""
    value = arguments.get(name)
    if type(value) is not int or not low <= value <= high:
        raise InvalidParameter(f"'{name}' must be a whole number from {low} to {high}")
    return value
