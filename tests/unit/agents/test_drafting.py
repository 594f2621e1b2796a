"""Drafts while a model writes: through the gates, at a measured pace, and withdrawn if need be."""

import json
import threading
from typing import Any

import pytest

from incident_squad.adapters.memory import MemoryLedger
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.agents.drafting import EVERY_SECONDS, Draft, Drafting
from incident_squad.agents.rails import Rails
from incident_squad.bootstrap.squad import Squad
from incident_squad.contracts import IncidentInput, UpdateInput
from incident_squad.domain.catalog import Policies
from incident_squad.domain.timeline import TimelineEvent
from incident_squad.domain.update import UpdateState
from incident_squad.policy.leak_gate import leaks
from infra.pipeline import MemoryWorld
from tests import hostile
from tests.builders import an_alert
from tests.model_server import Body, Fails, Says, Script
from tests.scripted_model import ScriptedModel
from tests.transcribed import KNOWLEDGE, TRIAGER, handled

POOL = (
    "PostgreSQL connection pool exhausted on prod-db-01. Active connections: 500/500. Service: "
    "payment-api. Error rate spike: 45% of requests returning 500. Started: 2 minutes ago."
)
WORDS = "We are working on it with priority, and look at what the checks tell us."


class Pace:
    """Drafts of one answer, in a time of our own."""

    def __init__(self, *, works: bool = True) -> None:
        self.time, self.works = 0.0, works
        self.told: list[Draft] = []
        self.drafting = Drafting(lambda t: t, lambda t: t, self._tell, now=lambda: self.time)

    def _tell(self, draft: Draft) -> bool:
        self.told.append(draft)
        return self.works

    def grow(self, text: str, seconds: float) -> None:
        """The whole text, byte by byte, over so many seconds."""
        for place in range(1, len(text) + 1):
            self.time += seconds / len(text)
            self.drafting(text[:place])


def test_drafts_come_at_a_measured_pace_and_only_grow() -> None:
    pace = Pace()
    pace.grow(json.dumps({"external": WORDS, "internal": WORDS}), 6.0)
    assert 4 <= len(pace.told) <= 6.0 / EVERY_SECONDS + 1
    assert [draft.number for draft in pace.told] == list(range(1, len(pace.told) + 1))
    for before, after in zip(pace.told, pace.told[1:], strict=False):
        assert after.external.startswith(before.external)
    assert all(WORDS.startswith(draft.external) for draft in pace.told)


def test_a_draft_ends_with_a_whole_word() -> None:
    pace = Pace()
    pace.drafting('{"external": "The host prod-db')
    assert pace.told[0].external == "The host"


@pytest.mark.parametrize("text", ["", "no JSON", "[1, 2", '{"external": 7', '{"external": ["a b '])
def test_what_is_no_answer_makes_no_draft(text: str) -> None:
    pace = Pace()
    pace.drafting(text)
    assert pace.told == []


def test_after_the_end_nothing_is_told() -> None:
    pace = Pace()
    pace.drafting.stop()
    pace.grow(json.dumps({"external": WORDS}), 6.0)
    assert pace.told == []


def test_when_a_draft_cannot_be_written_there_are_no_more() -> None:
    pace = Pace(works=False)
    pace.grow(json.dumps({"external": WORDS}), 6.0)
    assert len(pace.told) == 1
    assert pace.drafting.told.number == 0


def test_who_waits_does_not_wait_long_for_a_draft_that_hangs() -> None:
    entered, release = threading.Event(), threading.Event()

    def tell(draft: Draft) -> bool:
        del draft
        entered.set()
        return release.wait(30)

    drafting = Drafting(lambda t: t, lambda t: t, tell)
    writer = threading.Thread(target=drafting, args=('{"external": "We are here"',), daemon=True)
    writer.start()
    assert entered.wait(10)
    drafting.stop()
    release.set()
    writer.join(10)
    assert not writer.is_alive()


def texts(**fields: str) -> Script:
    def script(body: Body) -> Says:
        return hostile.texts(**fields) if hostile.asked_for(body) == "communicator" else Says("{}")

    return script


def story(script: Script, world: MemoryWorld | None = None) -> list[TimelineEvent]:
    """The timeline of an alert whose first update a model writes."""
    world = world or MemoryWorld(KNOWLEDGE, TRIAGER)
    model, ledger = ScriptedModel(script), MemoryLedger(world.clock)
    rails = Rails(model=model, ledger=ledger, policies=Policies())
    squad = Squad(world, lambda: rails)
    alert = an_alert(title=POOL, service=None, received_at=SystemClock().now())
    (outcome,) = squad.receive_alert()([alert])
    incident = str(outcome.incident_id)
    squad.triage()(IncidentInput(incident_id=incident))
    squad.draft_update()(UpdateInput(incident_id=incident, state=UpdateState.INVESTIGATING))
    return list(world.timeline.read(incident))


def drafts(events: list[TimelineEvent]) -> list[dict[str, Any]]:
    return [event.data for event in events if event.event == "DraftWritten"]


def test_drafts_stand_on_the_timeline_and_the_final_text_has_the_last_word() -> None:
    events = story(texts(external=WORDS))
    assert drafts(events)[0]["external"]
    assert drafts(events)[0]["draft"]
    names = [event.event for event in events]
    assert names.index("DraftWritten") < names.index("UpdateDrafted")
    assert "DraftWithdrawn" not in names


@pytest.mark.parametrize(
    "answer",
    [
        {"external": hostile.LEAK * 9, "internal": "", "executive": ""},
        {"external": "prod-db-01 " * 40, "internal": "", "executive": ""},
        {"external": "We will be back soon, " * 9, "internal": "", "executive": ""},
        {"external": "", "internal": "All 8123 customers lost 17 euros. " * 9, "executive": ""},
    ],
)
def test_no_draft_says_what_the_final_text_may_not(answer: dict[str, str]) -> None:
    for draft in drafts(story(texts(**answer))):
        assert not leaks(draft["external"], KNOWLEDGE.catalog)
        assert "8123" not in draft["internal"]
        assert "soon" not in draft["external"]


def test_a_stream_that_breaks_off_leaves_the_floor_and_withdraws_the_draft() -> None:
    answer = {"external": WORDS, "internal": "", "executive": ""}

    def script(body: Body) -> Says:
        broken = hostile.asked_for(body) == "communicator"
        return Says(answer, breaks_off=True) if broken else Says("{}")

    events = story(script)
    (withdrawn,) = (event for event in events if event.event == "DraftWithdrawn")
    assert withdrawn.data["reason"].startswith("overloaded")
    (final,) = (event for event in events if event.event == "UpdateDrafted")
    assert final.engine == "floor"
    assert withdrawn.n > drafts(events)[0]["number"]


def test_a_model_that_never_wrote_has_nothing_to_withdraw() -> None:
    names = [event.event for event in story(Fails(529, "overloaded_error"))]
    assert "DraftWritten" not in names
    assert "DraftWithdrawn" not in names


def test_a_replay_writes_no_drafts_and_is_the_same_all_the_same() -> None:
    alert = an_alert(title=POOL, service=None, received_at=SystemClock().now())
    run = handled(alert, texts(external=WORDS))
    told = [event.event for event in run.squad.world.timeline.read(run.incident_id)]
    assert "DraftWritten" in told
    written = [
        crossing.asked["args"][1]["event"]
        for one in run.transcripts.kept
        for crossing in one.crossings
        if crossing.port == "timeline.append"
    ]
    assert "DraftWritten" not in written
