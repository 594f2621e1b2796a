"""Promised updates, pages that nobody answers, corrections: over a week, and through crashes."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from incident_squad.contracts import HandOverInput, IncidentInput, UpdateInput
from incident_squad.domain.delivery import DeliveryStatus, Message
from incident_squad.domain.errors import PolicyViolation
from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.domain.update import UpdateKind, UpdateState
from incident_squad.domain.values import Severity
from incident_squad.steps.acknowledge import Acknowledge
from incident_squad.steps.draft_update import DraftUpdate
from incident_squad.steps.hand_over import HandOver
from incident_squad.steps.keep_promises import KeepPromises
from incident_squad.steps.notify_on_call import NotifyOnCall
from incident_squad.steps.post_message import PostMessage
from incident_squad.steps.public_texts import PublicTexts
from incident_squad.steps.publish_update import PublishUpdate
from incident_squad.steps.read_record import ReadRecord
from incident_squad.steps.receive_alert import ReceiveAlert
from tests.builders import (
    INCIDENT_ID,
    NOW,
    a_catalog,
    a_runbook,
    a_triage,
    an_alert,
    an_incident,
    later,
)
from tests.fakes import (
    FixedClock,
    MemoryApprovals,
    MemoryIncidents,
    MemoryKnowledge,
    MemoryOutbox,
    MemoryTimeline,
    MemoryWorkflow,
)

MINUTE = timedelta(minutes=1)


def view_link(incident_id: str, person: str = "") -> str:
    return f"/{incident_id}?view={person}"


@dataclass
class World:
    severity: Severity = Severity.SEV1
    catalog: dict[str, Any] = field(default_factory=dict)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))

    def __post_init__(self) -> None:
        self.incidents = MemoryIncidents(self.clock)
        self.timeline = MemoryTimeline(self.incidents, self.clock)
        self.approvals = MemoryApprovals(self.clock)
        self.outbox = MemoryOutbox(self.clock)
        self.knowledge = MemoryKnowledge(a_catalog(**self.catalog), {"pool": a_runbook()})
        self.notifier = PostMessage(self.outbox, self.knowledge, lambda: None)
        self.requests = MemoryApprovals(self.clock)
        self.texts = PublicTexts(
            self.incidents, self.requests, self.timeline, self.notifier, self.clock
        )
        self.record = ReadRecord(self.incidents, self.approvals, self.timeline)
        self.draft = DraftUpdate(
            self.incidents, self.timeline, self.knowledge, self.clock, self.record
        )
        self.publish = PublishUpdate(
            self.incidents, self.timeline, self.notifier, self.draft, view_link
        )
        self.keep = KeepPromises(
            incidents=self.incidents,
            timeline=self.timeline,
            notifier=self.notifier,
            knowledge=self.knowledge,
            clock=self.clock,
            publish=self.publish,
            view_link=view_link,
            texts=self.texts,
        )
        self.acknowledge = Acknowledge(self.incidents, self.timeline, self.notifier)

    def open(self, incident_id: str = INCIDENT_ID, *, paged: bool = False) -> str:
        now = self.clock.now()
        triage = a_triage(severity=self.severity)
        incident = an_incident(
            id=incident_id, opened_at=now, updated_at=now, triage=triage, severity=self.severity,
            status=IncidentStatus.DIAGNOSING,
        )  # fmt: skip
        alert = an_alert(key=incident_id, received_at=now)
        self.incidents.open(incident, alert, now + timedelta(days=1))
        if paged:
            self.notify(incident_id)
        return incident_id

    def notify(self, incident_id: str) -> None:
        NotifyOnCall(
            incidents=self.incidents, timeline=self.timeline, notifier=self.notifier,
            knowledge=self.knowledge, clock=self.clock, view_link=view_link,
        )(IncidentInput(incident_id=incident_id))  # fmt: skip

    def say(self, state: UpdateState, incident_id: str = INCIDENT_ID) -> None:
        self.publish(UpdateInput(incident_id=incident_id, state=state))

    def tick(self, minutes: int) -> None:
        for _ in range(minutes):
            self.clock.moment += MINUTE
            self.keep({})

    def messages(self, kind: str = "", incident_id: str = INCIDENT_ID) -> list[Message]:
        found = [d.message for d in self.outbox.of_incident(incident_id) if d.channel == "topic"]
        return [message for message in found if kind in {"", message.kind}]

    def events(self, name: str) -> list[str]:
        return [e.summary for e in self.timeline.read(INCIDENT_ID) if e.event == name]

    def updates(self) -> list[Any]:
        return [u for u in self.incidents.updates(INCIDENT_ID) if u.published]


@pytest.mark.parametrize(
    ("severity", "minutes"), [(Severity.SEV1, 15), (Severity.SEV2, 30), (Severity.SEV3, 60)]
)
def test_the_next_update_comes_when_it_was_promised(severity: Severity, minutes: int) -> None:
    world = World(severity)
    world.open()
    world.say(UpdateState.INVESTIGATING)
    world.tick(minutes - 3)
    assert len(world.updates()) == 1
    world.tick(3)
    first, second = world.updates()
    assert second.at <= first.next_due_at
    assert second.kind is UpdateKind.PROGRESS
    assert second.next_due_at == second.at + timedelta(minutes=minutes)
    assert "nothing new to report" in second.external
    assert len(world.messages("update")) == 2


def test_what_is_new_is_said_instead_of_that_nothing_is() -> None:
    world = World()
    world.open()
    world.say(UpdateState.INVESTIGATING)
    world.incidents.change(INCIDENT_ID, status=IncidentStatus.HANDED_OVER)
    world.tick(15)
    said = world.updates()[-1].external
    assert "We are now working on it by hand." in said
    assert "nothing new" not in said


def test_customers_read_it_in_their_language_and_colleagues_in_theirs() -> None:
    policies = {"languages": {"customers": "fr", "colleagues": "en"}}
    world = World(catalog={"policies": policies})
    world.open()
    world.say(UpdateState.INVESTIGATING)
    world.tick(15)
    last = world.updates()[-1]
    assert "rien de nouveau" in last.external
    assert "Specialist:" in last.internal


def test_a_closed_incident_promises_nothing_more() -> None:
    world = World()
    world.open()
    world.say(UpdateState.INVESTIGATING)
    world.say(UpdateState.RESOLVED)
    world.incidents.change(INCIDENT_ID, status=IncidentStatus.RESOLVED)
    world.tick(60)
    assert len(world.updates()) == 2


def test_a_promise_that_was_broken_is_owned_up_to_once() -> None:
    world = World()
    world.open()
    world.say(UpdateState.INVESTIGATING)
    world.clock.moment = later(minutes=40)
    assert world.keep({}).broken == (INCIDENT_ID,)
    assert world.events("PromiseBroken") == ["The update that was promised by 12:15 UTC is late"]
    assert len(world.messages("promise")) == 1
    assert len(world.updates()) == 2
    world.tick(5)
    assert len(world.messages("promise")) == 1


def test_nobody_answers_and_the_page_goes_further() -> None:
    world = World(Severity.SEV2)
    world.open(paged=True)
    world.tick(4)
    assert world.messages("escalation") == []
    world.tick(7)
    first, second = world.messages("escalation")
    assert first.recipients == ("ada@example.com", "ben@example.com")
    assert second.recipients == ("ada@example.com", "ben@example.com", "vera@example.com")
    assert first.urgent
    assert len(first.body.splitlines()) == 5
    world.tick(120)
    assert len(world.messages("escalation")) == 4


@pytest.mark.parametrize("how", ["link", "decision"])
def test_whoever_is_on_it_ends_the_paging(how: str) -> None:
    world = World()
    world.open(paged=True)
    if how == "link":
        assert world.acknowledge(INCIDENT_ID, Actor.human("ada@example.com"))
        assert not world.acknowledge(INCIDENT_ID, Actor.human("ben@example.com"))
        assert world.events("Acknowledged") == ["ada@example.com is on it"]
    else:
        entry = Entry(event="ApprovalDecided", summary="x", actor=Actor.human("ada@example.com"))
        world.timeline.append(INCIDENT_ID, entry)
    world.tick(60)
    assert world.messages("escalation") == []


def test_a_hand_over_is_a_page_of_its_own_that_somebody_must_answer() -> None:
    world = World()
    world.open(paged=True)
    world.acknowledge(INCIDENT_ID, Actor.human("ada@example.com"))
    HandOver(
        incidents=world.incidents, approvals=world.approvals, timeline=world.timeline,
        notifier=world.notifier, knowledge=world.knowledge, clock=world.clock,
    )(HandOverInput(incident_id=INCIDENT_ID, reason="stuck"))  # fmt: skip
    world.tick(6)
    assert len(world.messages("escalation")) == 1


def test_an_acknowledgement_in_pagerduty_counts_and_our_own_page_opens_nothing() -> None:
    world = World()
    world.open(paged=True)
    receive = ReceiveAlert(
        incidents=world.incidents, timeline=world.timeline, workflow=MemoryWorkflow(),
        knowledge=world.knowledge, clock=world.clock, triager=lambda _: a_triage(),
    )  # fmt: skip
    labels = {"incident_key": INCIDENT_ID, "agent": "Ada"}
    for kind, status in (
        ("incident.triggered", "firing"),
        ("incident.acknowledged", "information"),
    ):
        told = {**labels, "event_type": kind}
        alert = an_alert(source="pagerduty", key="pagerduty:P1", status=status, labels=told)
        assert receive([alert])[0].outcome.value == "ignored"
    assert world.events("Acknowledged") == ["Ada acknowledged in PagerDuty"]
    world.tick(60)
    assert world.messages("escalation") == []


def test_sev3_wakes_nobody() -> None:
    world = World(Severity.SEV3)
    world.open(paged=True)
    world.tick(50)
    assert world.messages("escalation") == []


def test_a_correction_is_marked_and_keeps_the_promise() -> None:
    world = World()
    world.open()
    world.say(UpdateState.INVESTIGATING)
    world.clock.moment += MINUTE
    said = world.publish.correct(
        INCIDENT_ID, "Only orders are affected.", Actor.human("a@b.example")
    )
    assert "Correction: Only orders are affected." in said.external
    assert said.next_due_at is not None
    (message,) = world.messages("correction")
    assert message.subject.startswith("Correction: [Investigating]")
    assert world.timeline.read(INCIDENT_ID)[-1].actor.name == "a@b.example"


@pytest.mark.parametrize("leak", ["db-7.internal is down", "10.0.0.3 is down", "SELECT 1 FROM t"])
def test_a_correction_that_leaks_is_refused(leak: str) -> None:
    world = World()
    world.open()
    world.say(UpdateState.INVESTIGATING)
    with pytest.raises(PolicyViolation):
        world.publish.correct(INCIDENT_ID, leak, Actor.human("a@b.example"))
    assert len(world.updates()) == 1


def test_executives_are_told_once_it_is_over() -> None:
    mail = {"mail": {"kind": "email", "sender": "squad@example.com"}}
    world = World(catalog={"channels": mail})
    world.open()
    world.say(UpdateState.RESOLVED)
    found = [d.message for d in world.outbox.of_incident(INCIDENT_ID) if d.channel == "mail"]
    assert [(m.kind, m.recipients) for m in found] == [("summary", ("vera@example.com",))]
    assert "Action items" in found[0].body


class Killed(BaseException):
    """The process ended here."""


class MortalTimeline(MemoryTimeline):
    """Dies right after the n-th event is written."""

    left = -1

    def append(self, incident_id: str, entry: Entry) -> Any:
        event = super().append(incident_id, entry)
        self.left -= 1
        if self.left == 0:
            raise Killed
        return event


@pytest.mark.parametrize("point", range(1, 6))
def test_a_kill_after_any_event_loses_and_doubles_no_message(point: int) -> None:
    world = World(Severity.SEV2)
    world.timeline = MortalTimeline(world.incidents, world.clock)
    world.__dict__["record"] = ReadRecord(world.incidents, world.approvals, world.timeline)
    parts = (world.incidents, world.timeline, world.knowledge, world.clock, world.record)
    world.publish = PublishUpdate(
        world.incidents, world.timeline, world.notifier, DraftUpdate(*parts), view_link
    )
    world.keep = KeepPromises(
        incidents=world.incidents, timeline=world.timeline, notifier=world.notifier,
        knowledge=world.knowledge, clock=world.clock, publish=world.publish,
        view_link=view_link, texts=world.texts,
    )  # fmt: skip
    world.open(paged=True)
    world.say(UpdateState.INVESTIGATING)
    world.timeline.left = point
    for _ in range(33):
        world.clock.moment += MINUTE
        try:
            world.keep({})
        except Killed:
            world.keep({})
    assert [m.id.rpartition(":")[2] for m in world.messages("escalation")] == ["1", "2", "3", "4"]
    assert len(world.messages("update")) == 2
    assert world.messages("promise") == []


@dataclass
class Trouble:
    """One incident of the simulated week, in minutes of the week."""

    name: str
    severity: Severity
    begins: int
    identified: int
    ends: int


def a_week_of_trouble(chance: random.Random) -> list[Trouble]:
    """Sixteen incidents; some come while others are open, and one goes on all night."""
    found = []
    for number in range(16):
        begins = chance.randrange(0, 7 * 24 * 60 - 600)
        lasts = 8 * 60 if number == 7 else chance.randint(5, 180)
        name = f"INC-20261024-{number:05d}"
        severity = chance.choice([Severity.SEV1, Severity.SEV2, Severity.SEV3])
        found.append(Trouble(name, severity, begins, begins + lasts // 2, begins + lasts))
    return found


@pytest.fixture
def in_paris() -> Iterator[None]:
    """A computer whose own clock is set back an hour that week: nobody may notice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Europe/Paris")
        time.tzset()
        yield
    time.tzset()


def happens(world: World, one: Trouble, minute: int) -> None:
    """What the workflow does about one incident at a minute of the week."""
    if minute == one.begins:
        world.severity = one.severity
        world.open(one.name, paged=True)
        world.say(UpdateState.INVESTIGATING, one.name)
    if minute == one.identified:
        world.say(UpdateState.IDENTIFIED, one.name)
    if minute == one.ends:
        world.say(UpdateState.RESOLVED, one.name)
        world.incidents.change(one.name, status=IncidentStatus.RESOLVED)


def test_a_week_keeps_every_promise(in_paris: None) -> None:
    chance = random.Random(7)  # noqa: S311 - a simulated week
    clock = FixedClock(datetime(2026, 10, 22, tzinfo=UTC))
    world, began = World(clock=clock), clock.moment
    trouble, up_again = a_week_of_trouble(chance), 0
    for minute in range(7 * 24 * 60):
        clock.moment = began + minute * MINUTE
        for one in trouble:
            happens(world, one, minute)
        if minute < up_again or not any(t.begins <= minute <= t.ends for t in trouble):
            continue
        world.keep({})
        if chance.random() < 0.2:  # the schedule misses one or two of its minutes
            up_again = minute + chance.randint(2, 3)
    for one in trouble:
        said = world.incidents.updates(one.name)
        assert not [u for u, v in pairwise(said) if u.next_due_at and v.at > u.next_due_at]
        assert "PromiseBroken" not in [e.event for e in world.timeline.read(one.name)]
        sent = [m.details["state"] for m in world.messages("update", one.name)]
        assert sent == [u.state.value for u in said]
        states = Counter(u.state for u in said if u.kind is UpdateKind.STATE)
        assert states == dict.fromkeys(states, 1)


def test_a_schedule_that_was_down_for_long_owns_up_to_each_promise_once() -> None:
    world = World()
    for name in ("INC-20261122-00001", "INC-20261122-00002"):
        world.open(name)
        world.say(UpdateState.INVESTIGATING, name)
    world.clock.moment += timedelta(hours=3)
    world.tick(3)
    for name in ("INC-20261122-00001", "INC-20261122-00002"):
        events = [event.event for event in world.timeline.read(name)]
        assert events.count("PromiseBroken") == 1
        assert len(world.messages("promise", name)) == 1
        assert len(world.messages("update", name)) == 2


def test_a_storm_of_a_thousand_alerts_is_one_page_and_one_update_a_state() -> None:
    world = World()
    receive = ReceiveAlert(
        incidents=world.incidents, timeline=world.timeline, workflow=MemoryWorkflow(),
        knowledge=world.knowledge, clock=world.clock, triager=lambda _: a_triage(),
    )  # fmt: skip
    found = set()
    for number in range(1000):
        alert = an_alert(key=f"storm:{number}", received_at=world.clock.moment)
        found.add(receive([alert])[0].incident_id)
        world.clock.moment += timedelta(milliseconds=100)
        (incident_id,) = found
        assert incident_id is not None
        if number == 10:
            world.incidents.change(
                incident_id, triage=a_triage(), severity=Severity.SEV1,
                status=IncidentStatus.DIAGNOSING,
            )  # fmt: skip
        if number in {20, 21, 500}:
            world.notify(incident_id)
            world.say(UpdateState.INVESTIGATING, incident_id)
        if number in {700, 701}:
            world.say(UpdateState.IDENTIFIED, incident_id)
        world.keep({})
    (incident_id,) = found
    assert Counter(m.kind for m in world.messages("", str(incident_id))) == {"page": 1, "update": 2}
    assert {d.status for d in world.outbox.of_incident(str(incident_id))} == {
        DeliveryStatus.WAITING
    }


def test_whoever_is_woken_gets_a_link_in_their_own_name_and_no_room_does() -> None:
    slack = {"kind": "slack", "token": "channels/slack", "channel": "C0INCIDENTS"}
    simple = {"kind": "slack_webhook", "url": "channels/simple", "kinds": ["page", "call"]}
    hook = {
        "kind": "webhook",
        "url": "https://x.example/y",
        "secret": "channels/x",
        "kinds": ["page", "call"],
    }
    world = World(catalog={"channels": {"slack": slack, "simple": simple, "hook": hook}})
    world.open(paged=True)
    found = [(d.channel, d.message) for d in world.outbox.of_incident(INCIDENT_ID)]
    own = [(channel, m.recipients) for channel, m in found if m.kind == "call"]
    assert own == [("slack", (f"{name}@example.com",)) for name in ("ada", "ben", "vera")]
    links = {m.link for _, m in found if m.kind == "call"}
    assert len(links) == 3
    assert not links & {m.link for _, m in found if m.kind != "call"}


def test_colleagues_are_paged_and_asked_in_their_language() -> None:
    policies = {"languages": {"colleagues": "fr", "executives": "fr"}}
    world = World(catalog={"policies": policies})
    world.open(paged=True)
    (page,) = world.messages("page")
    words = [line.partition(" ")[0] for line in page.body.splitlines()]
    assert words == ["Quoi", "Où", "Depuis", "Impact", "Suite"]
    assert len(page.body) <= 500
    world.say(UpdateState.INVESTIGATING)
    world.clock.moment = later(minutes=40)
    world.keep({})
    assert "Personne n'a pris en charge" in world.messages("escalation")[0].subject
    assert "en retard" in world.messages("promise")[0].body
    world.publish.correct(INCIDENT_ID, "Seules les commandes.", Actor.human("a@b.example"))
    assert world.messages("correction")[0].subject.startswith("Rectification : ")
