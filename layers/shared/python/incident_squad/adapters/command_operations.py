"""Operations that programs offer instead of hooks: a command of the same name, JSON in its output.

So a role like `certificates` can be played by an ops host with a renew command.
"""

import json
from collections.abc import Mapping
from typing import Any

from incident_squad.adapters.command_target import Call, Hosts
from incident_squad.adapters.targets import as_not_done
from incident_squad.domain.errors import (
    InvalidConfiguration,
    InvalidParameter,
    SquadError,
    StepFailed,
)


class CommandOperations:
    """Implements `Operations` with the commands of ops hosts; a body's values are arguments."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts

    def describe(self, target: str | None, operation: str) -> str:
        """The program that would be run."""
        return f"{operation} on {target}"

    def look(self, target: str | None, operation: str, *, seconds: float) -> Any:  # noqa: ANN401
        """The JSON that a command prints which changes nothing."""
        call = self._hosts.call(target, (operation,))
        if call.mutates:
            raise InvalidConfiguration(f"'{operation}' of '{target}' is not a way to look")
        return self._run(target, call, f"look:{operation}", seconds)

    def act(
        self, target: str | None, operation: str, body: Mapping[str, Any], key: str, seconds: float
    ) -> Any:  # noqa: ANN401
        """The JSON that a command prints; raises TargetUnavailable when it was not started."""
        try:
            values = [str(value) for value in body.values()]
            if any(value.startswith("-") for value in values):
                raise InvalidParameter("an argument must not begin with '-'")
            call = self._hosts.call(target, (operation, *values))
            return self._run(target, call, key, seconds)
        except SquadError as error:
            raise as_not_done(error) from error

    def _run(self, target: str | None, call: Call, key: str, seconds: float) -> Any:  # noqa: ANN401
        printed = self._hosts.host(target).run(call.argv, max(1, int(seconds)), key)
        if printed.code != 0:
            said = printed.text.strip()[-300:]
            raise StepFailed(f"'{call.line}' ended with {printed.code}: {said}")
        if not printed.text.strip():
            return None
        try:
            return json.loads(printed.text)
        except (ValueError, RecursionError) as error:
            raise StepFailed(f"'{call.line}' did not print JSON") from error
