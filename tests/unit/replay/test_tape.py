"""The tape beyond its end, and how differences are shown."""

from datetime import datetime, timedelta

import pytest
from pydantic import TypeAdapter

from incident_squad.adapters.transcripts.tape import MOST, Playback
from incident_squad.domain.errors import TransientFailure
from incident_squad.domain.transcript import Crossing
from infra.replay.compare import difference
from tests.builders import NOW


def test_who_waits_beyond_the_tape_does_not_wait_for_ever() -> None:
    moment: TypeAdapter[datetime] = TypeAdapter(datetime)
    nothing: TypeAdapter[None] = TypeAdapter(None)
    then = [
        Crossing(port="clock.now", asked={"args": []}, answer="2026-11-22T12:00:00Z"),
        Crossing(port="clock.sleep", asked={"args": [2.5]}),
        Crossing(port="clock.now", asked={"args": []}, answer="2026-11-22T12:00:02.500Z"),
    ]
    tape = Playback(then)

    def now() -> datetime:
        return tape.cross("clock.now", {"args": []}, lambda: NOW, moment)

    def sleep(seconds: float) -> None:
        tape.cross("clock.sleep", {"args": [seconds]}, lambda: None, nothing)

    first = now()
    sleep(2.5)
    assert now() - first == timedelta(seconds=2.5)
    sleep(60)
    assert timedelta(seconds=62.5) < now() - first < timedelta(seconds=63)


def test_a_replay_that_comes_to_no_end_is_ended() -> None:
    tape = Playback([Crossing(port="incidents.get", asked=1, answer=2)])
    number: TypeAdapter[int] = TypeAdapter(int)
    for _ in range(MOST + 1):
        assert tape.cross("incidents.get", 1, lambda: 3, number) == 2
    with pytest.raises(TransientFailure, match="no end"):
        tape.cross("incidents.get", 1, lambda: 3, number)


def test_of_long_texts_the_place_where_they_part_is_shown() -> None:
    shown = difference("Triage", "x", "a" * 5000 + "then", "a" * 5000 + "now")
    assert shown.then.endswith("then")
    assert shown.now.endswith("now")
    assert len(shown.then) < 200
