"""An alert may be quicker than the thresholds that would confirm it: the specialist looks again."""

from incident_squad.adapters.memory.telemetry import MemoryTelemetry
from incident_squad.contracts import IncidentInput
from incident_squad.domain.values import IncidentType
from incident_squad.steps.investigate import LOOK_AGAIN_SECONDS, LOOKS_AGAIN, Investigate
from incident_squad.steps.recent_changes import RecentChanges
from tests.builders import (
    INCIDENT_ID,
    a_catalog,
    a_runbook,
    a_triage,
    an_alert,
    an_incident,
    later,
)
from tests.fakes import (
    FakeProbers,
    FixedClock,
    MemoryIncidents,
    MemoryKnowledge,
    MemoryTimeline,
)


def concluded(clock: FixedClock, *values: float) -> bool:
    incidents = MemoryIncidents(clock)
    timeline = MemoryTimeline(incidents, clock)
    incidents.open(an_incident(triage=a_triage()), an_alert(), later(hours=6))
    knowledge = MemoryKnowledge(a_catalog(), {"pool": a_runbook()})
    probers = FakeProbers(clock, {"SELECT 1": list(values)})
    changes = RecentChanges(
        knowledge=knowledge, probers=probers, telemetry=MemoryTelemetry(clock), clock=clock
    )
    investigate = Investigate(
        specialist=IncidentType.DATABASE,
        incidents=incidents,
        timeline=timeline,
        knowledge=knowledge,
        probers=probers,
        recent_changes=changes,
        clock=clock,
    )
    return investigate(IncidentInput(incident_id=INCIDENT_ID)).conclusive


def test_what_is_not_yet_over_its_threshold_is_looked_at_again(clock: FixedClock) -> None:
    assert concluded(clock, 0.6, 0.6, 0.9)


def test_it_does_not_look_for_ever(clock: FixedClock) -> None:
    assert not concluded(clock, 0.6)
    assert clock.slept <= LOOKS_AGAIN * LOOK_AGAIN_SECONDS


def test_what_is_ruled_out_or_clear_is_not_looked_at_again(clock: FixedClock) -> None:
    assert not concluded(clock, 0.1)
    assert concluded(clock, 0.9)
    assert clock.slept == 0
