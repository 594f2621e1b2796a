"""A workflow that only remembers what it was told."""

from incident_squad.domain.approval import Decision
from incident_squad.domain.incident import Incident, Stage
from incident_squad.domain.values import Value


class Start(Value):
    """One start of an execution."""

    incident_id: str
    attempt: int
    stage: Stage


class MemoryWorkflow:
    """Implements `Workflow`.

    `starts`, `decisions` (by task token) and `failures` record what came in. Take an execution out
    of `running`, or put a token into `gone`, to play a lost execution.
    """

    def __init__(self) -> None:
        self._names: set[tuple[str, int]] = set()
        self.starts: list[Start] = []
        self.running: set[tuple[str, int]] = set()
        self.decisions: dict[str, tuple[Decision, str]] = {}
        self.failures: dict[str, tuple[str, str]] = {}
        self.gone: set[str] = set()

    def start(self, incident: Incident) -> None:
        """Record the start, once for each attempt."""
        name = (incident.id, incident.attempt)
        if name in self._names:
            return
        self._names.add(name)
        self.running.add(name)
        self.starts.append(
            Start(incident_id=incident.id, attempt=incident.attempt, stage=incident.stage)
        )

    def is_running(self, incident: Incident) -> bool:
        """Whether this attempt was started and not taken out of `running`."""
        return (incident.id, incident.attempt) in self.running

    def decide(self, task_token: str, decision: Decision, approval_id: str) -> bool:
        """Record a decision; False when the task is gone or was told before."""
        if not self._waits(task_token):
            return False
        self.decisions[task_token] = (decision, approval_id)
        return True

    def fail_task(self, task_token: str, error: str, cause: str) -> None:
        """Record the failure of a task that waits."""
        if self._waits(task_token):
            self.failures[task_token] = (error, cause)

    def _waits(self, token: str) -> bool:
        return not (token in self.gone or token in self.decisions or token in self.failures)
