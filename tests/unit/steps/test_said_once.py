"""What is said is said once and in order: killed at any step, and with others at any step."""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from incident_squad.domain.approval import Decision
from incident_squad.domain.errors import ApprovalRefused
from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.timeline import Actor
from incident_squad.domain.update import UpdateState
from tests.builders import INCIDENT_ID, later
from tests.voice import HELD, Voice

ADA = Actor.human("ada@example.com")
ORDER = [state.value for state in UpdateState]
Act = Callable[[Voice], object]


_REPEATED = {"UpdateDrafted", "ApprovalRefused"}


class Killed(BaseException):
    """The process ended here."""


def at(minute: float) -> Act:
    """The schedule runs at this minute of the incident."""

    def act(voice: Voice) -> None:
        voice.clock.moment = later(minutes=minute)
        voice.keep({})

    return act


def say(state: UpdateState) -> Act:
    return lambda voice: voice.say(state)


def correct(voice: Voice) -> None:
    voice.publish.correct(INCIDENT_ID, "Only card payments fail.", ADA)


def on_it(voice: Voice) -> None:
    voice.acknowledge(INCIDENT_ID, ADA)


def approve(voice: Voice) -> None:
    try:
        voice.decide.decide(voice.links()[-1], Decision.APPROVED)
    except ApprovalRefused:
        return  # a second click, after the first one was cut off


def close(voice: Voice) -> None:
    voice.incidents.change(INCIDENT_ID, status=IncidentStatus.RESOLVED)


STORY: Sequence[Act] = (
    Voice.page,
    say(UpdateState.INVESTIGATING),
    at(6),  # nobody has answered: the page goes further
    on_it,
    at(13),  # the promised update
    correct,
    say(UpdateState.IDENTIFIED),
    Voice.give_up,
    at(20),  # the new page was not answered either
    on_it,
    at(40),  # late: a promise was broken
    say(UpdateState.RESOLVED),
    close,
)
HELD_STORY: Sequence[Act] = (
    say(UpdateState.INVESTIGATING),
    approve,
    at(10),  # the promised update asks
    approve,
    correct,
    say(UpdateState.IDENTIFIED),  # before anybody has decided about the correction
    at(30),  # nobody decided: it expires, the promise is broken
    close,
    at(45),
)


def told(voice: Voice) -> dict[str, list[str]]:
    """All messages, those about updates in their order, and the timeline.

    Left out are drafts, and clicks that came too late.
    """
    sent = [message.id for message in voice.through()]
    updates = [m.id for m in voice.through("slack") if m.kind in {"update", "correction"}]
    status = [message.id for message in voice.through("status")]
    events = sorted(name for name in voice.events() if name not in _REPEATED)
    return {"all": sorted(sent), "updates": updates, "status": status, "timeline": events}


def live(story: Sequence[Act], policies: dict[str, object], dies_at: int) -> tuple[Voice, int]:
    """Everything happens; whoever is killed is started again, as its runtime would."""
    voice, count = Voice(policies=policies), itertools.count(1)
    taken = 0

    def step() -> None:
        nonlocal taken
        taken = next(count)
        if taken == dies_at:
            raise Killed

    process = Voice(stores=voice, step=step)
    for act in story:
        try:
            act(process)
            step()
        except Killed:
            process = Voice(stores=voice)
            act(process)
    return voice, taken


@pytest.mark.parametrize(
    ("story", "policies"), [(STORY, {}), (HELD_STORY, HELD)], ids=["at once", "held"]
)
def test_a_kill_between_any_two_steps_loses_and_doubles_nothing(
    story: Sequence[Act], policies: dict[str, object]
) -> None:
    whole, steps = live(story, policies, 0)
    wanted = told(whole)
    assert not [name for name, times in Counter(wanted["all"]).items() if times > 1]
    assert steps > 100
    for point in range(1, steps + 1):
        assert told(live(story, policies, point)[0]) == wanted, point


def in_between(first: Act, second: Act, begun: Sequence[Act], when: int) -> tuple[Voice, bool]:
    """The second act happens as a whole at one step of the first."""
    voice = Voice()
    for act in begun:
        act(voice)
    count, happened = itertools.count(1), False

    def step() -> None:
        nonlocal happened
        if next(count) == when:
            happened = True
            second(voice)

    first(Voice(stores=voice, step=step))
    return voice, happened


def promised(voice: Voice) -> None:
    voice.clock.moment = later(minutes=13)
    voice.keep({})


BEGUN = (say(UpdateState.INVESTIGATING),)


@pytest.mark.parametrize(
    ("first", "second"),
    [*itertools.permutations([promised, correct, say(UpdateState.IDENTIFIED)], 2)],
)
def test_whoever_comes_in_between_the_state_never_goes_back(first: Act, second: Act) -> None:
    for when in itertools.count(1):
        voice, happened = in_between(first, second, BEGUN, when)
        voice.clock.moment = max(voice.clock.moment, later(minutes=13))
        voice.keep({})
        said = [m.details["state"] for m in voice.through("status")]
        assert said == sorted(said, key=ORDER.index), when
        shown = [update.external for update in reversed(voice.shown())]
        assert voice.on_status_page() == shown, when
        for channel in ("topic", "slack", "status"):
            ids = [message.id for message in voice.through(channel)]
            assert len(ids) == len(set(ids)), when
        assert voice.events().count("UpdatePublished") == len(shown), when
        if not happened:
            return


def test_a_decision_in_between_a_newer_text_leaves_one_order_everywhere() -> None:
    for when in itertools.count(1):
        voice = Voice(policies=HELD)
        voice.say(UpdateState.INVESTIGATING)
        link = voice.links()[0]
        count, happened = itertools.count(1), [False]

        def step(
            voice: Voice = voice,
            link: str = link,
            count: "itertools.count[int]" = count,
            when: int = when,
            happened: list[bool] = happened,
        ) -> None:
            if next(count) == when:
                happened[0] = True
                try:
                    voice.decide.decide(link, Decision.APPROVED)
                except ApprovalRefused:
                    return

        Voice(stores=voice, step=step).say(UpdateState.IDENTIFIED)
        voice.decide.decide(voice.links()[-1], Decision.APPROVED)
        said = [m.details["state"] for m in voice.through("status")]
        assert said in (["Investigating", "Identified"], ["Identified"]), when
        assert voice.on_status_page() == [u.external for u in reversed(voice.shown())], when
        if not happened[0]:
            return


def test_the_same_correction_sent_again_is_one() -> None:
    voice = Voice()
    voice.say(UpdateState.INVESTIGATING)
    for minute in (1, 2, 13, 14):
        voice.clock.moment = later(minutes=minute)
        correct(voice)
        voice.keep({})
    assert len([m for m in voice.through("slack") if m.kind == "correction"]) == 1


def test_a_correction_whose_sender_died_goes_out_all_the_same() -> None:
    for point in range(1, 60):
        voice = Voice()
        voice.say(UpdateState.INVESTIGATING)
        count = itertools.count(1)

        def step(count: "itertools.count[int]" = count, point: int = point) -> None:
            if next(count) == point:
                raise Killed

        try:
            correct(Voice(stores=voice, step=step))
        except Killed:
            placed = any(update.number == 2 for update in voice.incidents.updates(INCIDENT_ID))
        else:
            return
        voice.tick(1)
        sent = [m for m in voice.through("slack") if m.kind == "correction"]
        assert len(sent) == placed
    raise AssertionError


def test_whoever_is_on_it_stops_the_pager_even_if_the_click_was_cut_off() -> None:
    for point in range(1, 20):
        voice = Voice()
        voice.page()
        count = itertools.count(1)

        def step(count: "itertools.count[int]" = count, point: int = point) -> None:
            if next(count) == point:
                raise Killed

        try:
            on_it(Voice(stores=voice, step=step))
        except Killed:
            noted = "Acknowledged" in voice.events()
        else:
            return
        voice.tick(2)
        stops = [
            d for d in voice.outbox.of_incident(INCIDENT_ID) if d.message.kind == "acknowledged"
        ]
        assert len(stops) == noted
    raise AssertionError
