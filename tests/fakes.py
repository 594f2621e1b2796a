"""Stand-ins for the ports. The in-memory stores are product code; the rest follows a script."""

from collections.abc import Mapping, Sequence
from typing import Any

from incident_squad.adapters.memory import (
    FixedClock,
    MemoryApprovals,
    MemoryIncidents,
    MemoryKnowledge,
    MemoryNotifier,
    MemoryOutbox,
    MemorySecrets,
    MemorySigner,
    MemoryTimeline,
    MemoryWorkflow,
    Start,
    TickingClock,
)
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import (
    AwsProbe,
    CommandProbe,
    Condition,
    HttpProbe,
    K8sProbe,
    MetricProbe,
    ParameterValue,
    Probe,
    SqlProbe,
    Step,
)
from incident_squad.policy.expectation import passes
from incident_squad.ports import Clock

__all__ = [
    "FakeExecutor",
    "FakeExecutors",
    "FakeProbers",
    "FixedClock",
    "MemoryApprovals",
    "MemoryIncidents",
    "MemoryKnowledge",
    "MemoryNotifier",
    "MemoryOutbox",
    "MemorySecrets",
    "MemorySigner",
    "MemoryTimeline",
    "MemoryWorkflow",
    "Start",
    "TickingClock",
    "asked_of",
]

Answer = float | str | bool | None | EvidenceStatus
"""A value that was observed, or how the look ended when nothing was."""


def asked_of(probe: Probe) -> str:
    """What a probe asks, as one text: the key of a script."""
    match probe:
        case SqlProbe():
            return probe.sql
        case HttpProbe():
            return f"{probe.operation}{probe.pointer}"
        case MetricProbe():
            return probe.query
        case CommandProbe():
            return " ".join(probe.argv)
        case AwsProbe() | K8sProbe():
            return probe.reading


def _in_turn(answers: Answer | Sequence[Answer]) -> list[Answer]:
    if isinstance(answers, str) or not isinstance(answers, Sequence):
        return [answers]
    return [*answers]


class FakeProbers:
    """Answers by a script: what is asked (see `asked_of`) to an answer, or to answers in turn.

    The last answer of a list stays. What the script does not name is not configured. `asked`
    records the questions.
    """

    def __init__(self, clock: Clock, script: Mapping[str, Answer | Sequence[Answer]]) -> None:
        self._clock = clock
        self._script = {question: _in_turn(answers) for question, answers in script.items()}
        self.asked: list[str] = []

    def ask(self, probe: Probe, service: str | None, parameters: Mapping[str, Any]) -> Evidence:
        question = asked_of(probe)
        self.asked.append(question)
        unknown: list[Answer] = [EvidenceStatus.NOT_CONFIGURED]
        answers = self._script.get(question, unknown)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        ended = answer if isinstance(answer, EvidenceStatus) else None
        return Evidence(
            id="",
            source=probe.kind,
            query=question,
            status=ended or EvidenceStatus.OK,
            value=None if ended else answer,
            observed_at=self._clock.now(),
        )

    def holds(
        self, condition: Condition, service: str | None, parameters: Mapping[str, Any]
    ) -> tuple[bool, Evidence]:
        evidence = self.ask(condition.probe, service, parameters)
        return passes(condition.expect, evidence.value), evidence


class FakeExecutor:
    """Does what it is told on nothing, and records it by the step's title.

    `fails` maps `preview`, `apply` or `undo`, a colon and a title to the error to raise.
    """

    def __init__(
        self,
        preview: Sequence[Mapping[str, str]] = (),
        result: Mapping[str, Any] | None = None,
        fails: Mapping[str, Exception] | None = None,
    ) -> None:
        self.rows = preview
        self.result: Mapping[str, Any] = result or {}
        self.fails: dict[str, Exception] = dict(fails or {})
        self.done: list[str] = []
        self.keys: list[str] = []

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        self._do("preview", step.title)
        return self.rows

    def apply(self, step: Step, planned: PlannedStep, idempotency_key: str) -> Mapping[str, Any]:
        self.keys.append(idempotency_key)
        self._do("apply", step.title)
        return self.result

    def undo(
        self, step: Step, planned: PlannedStep, result: Mapping[str, Any], idempotency_key: str
    ) -> Mapping[str, Any]:
        self.keys.append(idempotency_key)
        self._do("undo", step.title)
        return {}

    def _do(self, act: str, title: str) -> None:
        self.done.append(f"{act}:{title}")
        if error := self.fails.get(f"{act}:{title}"):
            raise error


class FakeExecutors:
    """One executor for every kind, or those of a mapping."""

    def __init__(self, executors: FakeExecutor | Mapping[str, FakeExecutor]) -> None:
        self._executors = executors

    def of(self, kind: str) -> FakeExecutor | None:
        if isinstance(self._executors, FakeExecutor):
            return self._executors
        return self._executors.get(kind)
