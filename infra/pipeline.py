"""The squad in one process over memory: triage and reports of alerts, looking at no system."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from incident_squad.adapters.memory import (
    MemoryApprovals,
    MemoryIncidents,
    MemoryNotifier,
    MemoryOutbox,
    MemorySecrets,
    MemorySigner,
    MemoryTelemetry,
    MemoryTimeline,
    MemoryWorkflow,
)
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.agents.rails import Rails
from incident_squad.bootstrap.squad import Squad
from incident_squad.contracts import IncidentInput, UpdateInput
from incident_squad.domain.alert import Alert, AlertStatus
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import Condition, ParameterValue, Probe, Step
from incident_squad.domain.triage import Triage
from incident_squad.domain.update import UpdateState
from incident_squad.intake.recognise import normalise
from incident_squad.policy.triage import Triager
from incident_squad.ports import Clock, Executor, Knowledge
from infra.local.config import LocalConfig
from infra.local.knowledge import knowledge_of

OFFLINE = "offline: no system was looked at"


class HurriedClock(SystemClock):
    """Never waits: offline nothing changes while one waits. Its time moves on all the same."""

    def __init__(self) -> None:
        self._skipped = timedelta()

    def now(self) -> datetime:
        """The present moment, and what was not waited for."""
        return super().now() + self._skipped

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self._skipped += timedelta(seconds=seconds)


class NoEyes:
    """Implements `Probers` by seeing nothing, and saying so."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def ask(self, probe: Probe, service: str | None, parameters: Mapping[str, Any]) -> Evidence:
        """An observation that was not made."""
        return Evidence(
            id="",
            source=probe.kind,
            query=getattr(probe, "query", "") or getattr(probe, "sql", "") or probe.kind,
            status=EvidenceStatus.NOT_CONFIGURED,
            detail=OFFLINE,
            observed_at=self._clock.now(),
        )

    def holds(
        self, condition: Condition, service: str | None, parameters: Mapping[str, Any]
    ) -> tuple[bool, Evidence]:
        """A condition that nobody looked at does not hold."""
        return False, self.ask(condition.probe, service, parameters)


class NoHands:
    """Implements `Executors` and `Executor` for plans that are only read."""

    KINDS = frozenset({"sql", "http", "aws", "ssm", "k8s", "command", "note"})

    def of(self, kind: str) -> Executor | None:
        """Itself, for kinds that the squad can run."""
        return self if kind in self.KINDS else None

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        """Nothing was looked at."""
        return ()

    def apply(self, step: Step, planned: PlannedStep, idempotency_key: str) -> Mapping[str, Any]:
        """Never: there is no workflow that would call it."""
        raise RuntimeError(OFFLINE)

    def undo(
        self, step: Step, planned: PlannedStep, result: Mapping[str, Any], idempotency_key: str
    ) -> Mapping[str, Any]:
        """Never."""
        raise RuntimeError(OFFLINE)


class MemoryWorld:
    """A fresh world for one incident: it shares nothing with the next one but what is known."""

    def __init__(self, knowledge: Knowledge, triager: Callable[[Alert], Triage]) -> None:
        self.clock: Clock = HurriedClock()
        self.knowledge = knowledge
        self.triager = triager
        self.incidents = MemoryIncidents(self.clock)
        self.timeline = MemoryTimeline(self.incidents, self.clock)
        self.approvals = MemoryApprovals(self.clock)
        self.public_texts = MemoryApprovals(self.clock)
        self.workflow = MemoryWorkflow()
        self.notifier = MemoryNotifier()
        self.outbox = MemoryOutbox(self.clock)
        self.signer = MemorySigner()
        self.secrets = MemorySecrets()
        self.probers = NoEyes(self.clock)
        self.telemetry = MemoryTelemetry(self.clock)
        self.executors = NoHands()

    def public_url(self) -> str:
        """Nobody is served."""
        return "http://offline.invalid"


@dataclass(frozen=True)
class Pipeline:
    """Judges alerts one at a time; loading is done once."""

    knowledge: Knowledge
    triager: Callable[[Alert], Triage]

    @classmethod
    def load(cls, config: Path | None) -> Self:
        """With our runbooks and catalogue, or those of a configuration file."""
        return cls.of(knowledge_of(LocalConfig.read(config)))

    @classmethod
    def of(cls, knowledge: Knowledge) -> Self:
        """With what somebody has loaded."""
        return cls(knowledge, Triager(knowledge.catalog, knowledge.runbooks))

    def triage(self, payload: object) -> dict[str, Any]:
        """What `squad triage` answers; raises InvalidAlert."""
        result = self.triager(self.alert(payload))
        return {
            "type": result.type.value,
            "severity": result.severity.value,
            "runbookId": result.topic_id,
            "service": result.service,
            "confidence": result.confidence,
            "engine": result.engine,
            "why": list(result.why),
        }

    def report(self, payload: object, rails: Rails | None = None) -> dict[str, Any]:
        """The report as far as it goes without looking or acting; raises InvalidAlert.

        With `rails` a model is asked, too.
        """
        alert = self.alert(payload).model_copy(update={"status": AlertStatus.FIRING})
        squad = Squad(MemoryWorld(self.knowledge, self.triager), lambda: rails)
        incident_id = squad.receive_alert()([alert])[0].incident_id
        if incident_id is None:
            raise RuntimeError("a firing alert in an empty world opens an incident")
        request = IncidentInput(incident_id=incident_id)
        judged = squad.triage()(request)
        squad.notify_on_call()(request)
        publish = squad.publish_update()
        publish(UpdateInput(incident_id=incident_id, state=UpdateState.INVESTIGATING))
        squad.investigate(judged.type)(request)
        squad.synthesize()(request)
        publish(UpdateInput(incident_id=incident_id, state=UpdateState.IDENTIFIED))
        return squad.build_report()(incident_id).to_json()

    def alert(self, payload: object) -> Alert:
        """The first alert that fires, or the first one if none does; raises InvalidAlert."""
        wrapped = {"alert": payload} if isinstance(payload, str) else payload
        alerts = normalise(wrapped, {}, SystemClock().now())
        firing = [a for a in alerts if a.status is AlertStatus.FIRING]
        return (firing or alerts)[0]
