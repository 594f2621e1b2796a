"""The kinds of steps that the squad can run."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from incident_squad.adapters.aws_clients import LazyClients
from incident_squad.adapters.http_target import HttpExecutor
from incident_squad.adapters.note_target import NoteExecutor
from incident_squad.adapters.operations import TargetOperations
from incident_squad.adapters.sql_session import Sessions
from incident_squad.adapters.sql_target import SqlExecutor
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.ports import Clock, Executor, Knowledge, Secrets


class KindExecutors:
    """Implements `Executors`. A kind that is not here makes its plan one that nobody may apply."""

    def __init__(
        self,
        knowledge: Knowledge,
        secrets: Secrets,
        clients: Callable[[str, str | None], Any] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._knowledge = knowledge
        self._secrets = secrets
        self._clients = clients or LazyClients()
        self._clock = clock or SystemClock()
        self._made: dict[str, Executor] = {}

    @cached_property
    def _makers(self) -> Mapping[str, Callable[[], Executor]]:
        return {
            "sql": lambda: SqlExecutor(Sessions(self._knowledge, self._secrets)),
            "http": lambda: HttpExecutor(TargetOperations(self._knowledge, self._secrets)),
            "aws": self._aws,
            "ssm": self._ssm,
            "k8s": self._k8s,
            "command": self._command,
            "note": NoteExecutor,
        }

    def of(self, kind: str) -> Executor | None:
        """The executor of a kind, or None when that kind is not built."""
        if kind in self._makers and kind not in self._made:
            self._made[kind] = self._makers[kind]()
        return self._made.get(kind)

    def can_run(self, kind: str) -> bool:
        """Whether steps of this kind can be run."""
        return kind in self._makers

    # Most incidents need one kind: the others' code is not even loaded.
    def _aws(self) -> Executor:
        from incident_squad.adapters.aws_target import AwsExecutor  # noqa: PLC0415 - see above

        return AwsExecutor(self._knowledge, self._clients, self._clock)

    def _ssm(self) -> Executor:
        from incident_squad.adapters.ssm_target import SsmExecutor  # noqa: PLC0415 - see above

        return SsmExecutor(self._knowledge, self._clients, self._clock)

    def _k8s(self) -> Executor:
        from incident_squad.adapters.k8s_api import EksClusters  # noqa: PLC0415 - see above
        from incident_squad.adapters.k8s_target import K8sExecutor  # noqa: PLC0415 - see above

        return K8sExecutor(self._knowledge, EksClusters(self._clients), self._clock)

    def _command(self) -> Executor:
        from incident_squad.adapters.command_target import (  # noqa: PLC0415 - see above
            CommandExecutor,
        )

        return CommandExecutor(self._knowledge, self._clients, self._clock)
