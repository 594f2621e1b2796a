"""The operations of a target, whether it is an HTTP service or an ops host with commands."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from incident_squad.adapters.aws_clients import LazyClients
from incident_squad.adapters.http_client import HttpClient, Operations
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.domain.targets import CommandTarget
from incident_squad.ports import Clock, Knowledge, Secrets

Clients = Callable[[str, str | None], Any]


class TargetOperations:
    """Implements `Operations` by what the target is; commands are loaded when one is asked for."""

    def __init__(
        self,
        knowledge: Knowledge,
        secrets: Secrets,
        clients: Clients | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._knowledge = knowledge
        self._http = HttpClient(knowledge, secrets)
        self._clients = clients or LazyClients()
        self._clock = clock or SystemClock()

    @cached_property
    def _commands(self) -> Operations:
        from incident_squad.adapters.command_operations import (  # noqa: PLC0415 - seldom needed
            CommandOperations,
        )
        from incident_squad.adapters.command_target import Hosts  # noqa: PLC0415 - seldom needed

        return CommandOperations(Hosts(self._knowledge, self._clients, self._clock))

    def describe(self, target: str | None, operation: str) -> str:
        """The call in words."""
        return self._of(target).describe(target, operation)

    def look(self, target: str | None, operation: str, *, seconds: float) -> Any:  # noqa: ANN401
        """The answer of an operation that only looks."""
        return self._of(target).look(target, operation, seconds=seconds)

    def act(
        self, target: str | None, operation: str, body: Mapping[str, Any], key: str, seconds: float
    ) -> Any:  # noqa: ANN401
        """The answer of an operation that changes something."""
        return self._of(target).act(target, operation, body, key, seconds)

    def _of(self, target: str | None) -> Operations:
        found = self._knowledge.catalog.targets.get(target or "")
        return self._commands if isinstance(found, CommandTarget) else self._http
