"""The small in-memory services: they record, and they fail when they are told to."""

from datetime import timedelta

import pytest

from incident_squad.domain.approval import Decision
from incident_squad.domain.errors import (
    AuditFailure,
    InvalidConfiguration,
    TransientFailure,
    UnknownRunbook,
)
from incident_squad.domain.incident import Stage
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.ports import Message
from tests.builders import INCIDENT_ID, a_catalog, a_runbook, an_alert, an_incident, later
from tests.fakes import (
    FixedClock,
    MemoryIncidents,
    MemoryKnowledge,
    MemoryNotifier,
    MemorySecrets,
    MemorySigner,
    MemoryTimeline,
    MemoryWorkflow,
    Start,
    TickingClock,
)


def test_an_attempt_is_started_once(workflow: MemoryWorkflow) -> None:
    incident = an_incident(attempt=2)
    assert not workflow.is_running(incident)
    workflow.start(incident)
    workflow.start(incident.model_copy(update={"stage": Stage.CLOSE}))
    assert workflow.starts == [Start(incident_id=INCIDENT_ID, attempt=2, stage=Stage.TRIAGE)]
    assert workflow.is_running(incident)


def test_a_task_is_told_once(workflow: MemoryWorkflow) -> None:
    workflow.gone.add("lost")
    assert workflow.decide("t1", Decision.APPROVED, "a1")
    assert not workflow.decide("t1", Decision.REJECTED, "a1")
    assert not workflow.decide("lost", Decision.APPROVED, "a1")
    workflow.fail_task("t1", "StepFailed", "late")
    workflow.fail_task("t2", "StepFailed", "in time")
    assert workflow.decisions == {"t1": (Decision.APPROVED, "a1")}
    assert workflow.failures == {"t2": ("StepFailed", "in time")}


def test_messages_are_kept_or_refused(notifier: MemoryNotifier) -> None:
    message = Message(id="m", incident_id="i", kind="page", recipients=(), subject="s", body="b")
    notifier.send(message)
    notifier.fail = True
    with pytest.raises(TransientFailure):
        notifier.send(message)
    assert notifier.messages == [message]


def test_secrets_can_rotate(secrets: MemorySecrets) -> None:
    secrets.texts["api-token"] = "t1"
    assert secrets.get("api-token") == "t1"
    del secrets.texts["api-token"]
    with pytest.raises(InvalidConfiguration, match="api-token"):
        secrets.get("api-token")


def test_knowledge_gives_what_it_was_given() -> None:
    knowledge = MemoryKnowledge(a_catalog(), {"pool": a_runbook()})
    assert knowledge.catalog.company == "Example"
    assert knowledge.runbook("pool") is knowledge.runbooks["pool"]
    with pytest.raises(UnknownRunbook, match="other"):
        knowledge.runbook("other")


def test_keys_of_two_processes_differ() -> None:
    assert not MemorySigner().verify(b"x", MemorySigner().sign(b"x"))


def test_a_clock_sleeps_without_waiting(clock: FixedClock) -> None:
    start = clock.now()
    clock.sleep(3600)
    assert clock.now() == start + timedelta(hours=1)
    assert clock.slept == 3600


def test_a_ticking_clock_moves_with_every_look() -> None:
    clock = TickingClock(tick=timedelta(seconds=1))
    assert clock.now() < clock.now()


def test_a_timeline_can_be_told_to_fail(incidents: MemoryIncidents, clock: FixedClock) -> None:
    incidents.open(an_incident(), an_alert(), later(hours=6))
    timeline = MemoryTimeline(incidents, clock)
    timeline.fail = True
    with pytest.raises(AuditFailure):
        timeline.append(
            INCIDENT_ID, Entry(event="StepApplied", summary="", actor=Actor.agent("hands"))
        )
    assert timeline.read(INCIDENT_ID) == ()
