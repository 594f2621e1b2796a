"""The kinds of steps that the squad can run."""

from incident_squad.adapters.http_client import HttpClient
from incident_squad.adapters.http_target import HttpExecutor
from incident_squad.adapters.note_target import NoteExecutor
from incident_squad.adapters.sql_session import Sessions
from incident_squad.adapters.sql_target import SqlExecutor
from incident_squad.ports import Executor, Knowledge, Secrets


class KindExecutors:
    """Implements `Executors`. A kind that is not here makes its plan one that nobody may apply."""

    def __init__(self, knowledge: Knowledge, secrets: Secrets) -> None:
        self._by_kind: dict[str, Executor] = {
            "sql": SqlExecutor(Sessions(knowledge, secrets)),
            "http": HttpExecutor(HttpClient(knowledge, secrets)),
            "note": NoteExecutor(),
        }

    def of(self, kind: str) -> Executor | None:
        """The executor of a kind, or None when that kind is not built."""
        return self._by_kind.get(kind)

    def can_run(self, kind: str) -> bool:
        """Whether steps of this kind can be run."""
        return kind in self._by_kind
