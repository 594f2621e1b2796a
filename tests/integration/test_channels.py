"""Channels against vendors that check like the real ones, and that fail in every way they can."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from incident_squad.adapters.channels.catalog_channels import CatalogChannels
from incident_squad.adapters.channels.slack_blocks import escaped
from incident_squad.domain.delivery import TOPIC, Delivery, DeliveryStatus, Lane, Message
from incident_squad.domain.errors import ChannelDown
from incident_squad.ports import Channel, Channels, Outbox
from incident_squad.steps.deliver_messages import Delivered, DeliverMessages
from incident_squad.steps.delivery_notes import DeliveryNotes
from incident_squad.steps.post_message import PostMessage
from tests.builders import INCIDENT_ID, NOW, a_catalog, a_message, an_alert, an_incident, later
from tests.fakes import (
    FixedClock,
    MemoryIncidents,
    MemoryKnowledge,
    MemoryNotifier,
    MemoryOutbox,
    MemorySecrets,
    MemoryTimeline,
)
from tests.vendors_of_messages import ROOM, SECRETS, Vendors, vendors

LINK = "https://squad.example.com/approvals/INC-20261122-7F3KQ~abc"


@pytest.fixture
def fake() -> Iterator[Vendors]:
    with vendors() as found:
        yield found


@dataclass
class World:
    fake: Vendors
    sections: tuple[str, ...] = ("pager", "slack", "status", "hook")
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    topic: MemoryNotifier = field(default_factory=MemoryNotifier)
    ses: "Ses" = field(default_factory=lambda: Ses())  # noqa: PLW0108 - it stands below

    def __post_init__(self) -> None:
        self.incidents = MemoryIncidents(self.clock)
        self.timeline = MemoryTimeline(self.incidents, self.clock)
        self.incidents.open(an_incident(), an_alert(), later(hours=1))
        declared = {n: c for n, c in self.fake.catalog().items() if n in self.sections}
        self.knowledge = knowledge = MemoryKnowledge(a_catalog(channels=declared), {})
        simple = {"channels/simple": f"{self.fake.url}/services/T1/B1/simple"}
        self.secrets = MemorySecrets({**SECRETS, **simple})
        self.outbox: Outbox = MemoryOutbox(self.clock)
        self.post = PostMessage(self.outbox, knowledge, lambda: None)
        self.channels: Channels = CatalogChannels(
            knowledge, self.secrets, self.clock, self.topic, lambda: self.ses
        )

    def deliver(self, *, parallel: bool = False) -> Delivered:
        return DeliverMessages(
            outbox=self.outbox,
            channels=self.channels,
            notes=DeliveryNotes(self.timeline),
            clock=self.clock,
            chance=lambda: 1.0,
            parallel=parallel,
        )({})

    def until_all_is_there(self) -> None:
        for _ in range(40):
            if not self.deliver().waiting:
                return
            self.clock.moment += timedelta(minutes=5)
        raise AssertionError(self.outbox.of_incident(INCIDENT_ID))

    def events(self) -> list[str]:
        return [event.event for event in self.timeline.read(INCIDENT_ID)]


class Ses:
    """Keeps e-mails; an answer that is `lost` comes after the e-mail has left."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.faults: list[str] = []

    def send_email(self, **request: Any) -> Any:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "throttled":
            raise _refused("TooManyRequestsException", 429)
        self.sent.append(request)
        if fault == "lost":
            raise ReadTimeoutError(endpoint_url="https://ses")
        return {"MessageId": "m"}


def _refused(code: str, status: int) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "x"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "SendEmail")


def story(*, theirs: str = "") -> list[Message]:
    """An incident as the squad tells it."""
    base = {"severity": "SEV1", "service": "orders", "type": "database"}
    base |= {"sourceIncident": theirs} if theirs else {}
    view = "https://squad.example.com/incidents/INC-20261122-7F3KQ?view=1~x"

    def update(state: str) -> Message:
        details = {**base, "state": state, "external": f"[{state}] Orders", "publicName": "Orders"}
        return a_message(
            id=f"update:{state}", subject=f"[{state}] <!channel> & more", body=f"{state}\n" * 900,
            link=view, details=details,
        )  # fmt: skip

    return [
        a_message(id="page", kind="page", recipients=("ada@example.com",), urgent=True,
                  subject="[SEV1] orders", body="card", link=view, details=base),
        update("Investigating"),
        a_message(id="approval", kind="approval", recipients=("ada@example.com",), urgent=True,
                  subject="Your decision", body=f"decide: {LINK}", link=LINK, details=base),
        a_message(id="ack", kind="acknowledged", recipients=(), subject="on it", details=base),
        update("Identified"),
        update("Resolved"),
    ]  # fmt: skip


def told(world: World, messages: Sequence[Message] | None = None) -> None:
    for message in messages or story():
        world.post.send(message)


THERE: dict[str, Callable[[Vendors], Any]] = {
    "pager": lambda f: [(e["event_action"], e["dedup_key"]) for e in f.events],
    "slack": lambda f: [p["metadata"]["event_payload"]["id"] for p in f.posts],
    "status": lambda f: [[u["body"] for u in reversed(i["incident_updates"])] for i in f.incidents],
    "hook": lambda f: [h["data"]["id"] for h in f.hooks],
}
WANTED: dict[str, Any] = {
    "pager": [(a, INCIDENT_ID) for a in ("trigger", "acknowledge", "resolve")],
    "slack": ["page", "update:Investigating", "approval", "ack", "update:Identified",
              "update:Resolved"],
    "status": [["[Investigating] Orders", "[Identified] Orders", "[Resolved] Orders"]],
    "hook": ["page", "update:Investigating", "ack", "update:Identified", "update:Resolved"],
}  # fmt: skip


_ID = {escaped(message.subject): message.id for message in story()}


def in_effect(name: str, fake: Vendors) -> Any:
    """What a vendor's users see: PagerDuty makes one of events with the same key."""
    seen = THERE[name](fake)
    return [key for key, _ in itertools.groupby(seen)] if name == "pager" else seen


@pytest.mark.parametrize("name", WANTED)
def test_everything_arrives_once_and_in_order(name: str, fake: Vendors) -> None:
    world = World(fake, (name,))
    told(world)
    world.until_all_is_there()
    assert in_effect(name, fake) == WANTED[name]
    assert fake.problems == []


@pytest.mark.parametrize("name", WANTED)
@pytest.mark.parametrize(
    "faults",
    [
        ("429", "429"),
        ("503", "500", "502"),
        ("lost", "503", "lost"),
        ("", "lost", "", "lost", "", "lost", "", "lost"),
        ("cut", "", "cut"),
        ("401", "404", "403"),
    ],
    ids="-".join,
)
def test_a_failing_vendor_loses_and_doubles_nothing(
    name: str, faults: tuple[str, ...], fake: Vendors
) -> None:
    world = World(fake, (name,))
    fake.faults.extend(faults)
    told(world)
    world.until_all_is_there()
    assert in_effect(name, fake) == WANTED[name]
    assert fake.problems == []


class Killed(BaseException):
    """The process ended here."""


@dataclass
class Mortal:
    """Everything that a deliverer touches; it dies at one point of its work.

    Credentials are read before each call of a vendor: so it can die between two of those, too.
    """

    outbox: Outbox
    channels: Channels
    secrets: MemorySecrets
    dies_at: int
    count: int = 0

    def step(self, act: Callable[[], Any]) -> Any:
        self._maybe_die()
        result = act()
        self._maybe_die()
        return result

    def _maybe_die(self) -> None:
        self.count += 1
        if self.count == self.dies_at:
            raise Killed

    def get(self, name: str) -> str:
        self._maybe_die()
        return self.secrets.get(name)

    def put(self, message: Message, channels: Sequence[str]) -> bool:
        return self.outbox.put(message, channels)

    def of_incident(self, incident_id: str) -> Sequence[Delivery]:
        return self.outbox.of_incident(incident_id)

    def lanes(self) -> Sequence[Lane]:
        return self.outbox.lanes()

    def seize(self, lane: Lane, until: datetime) -> Lane | None:
        seized: Lane | None = self.step(lambda: self.outbox.seize(lane, until))
        return seized

    def begin(self, waiting: Delivery, lane: Lane) -> Delivery:
        begun: Delivery = self.step(lambda: self.outbox.begin(waiting, lane))
        return begun

    def finish(self, ended: Delivery, lane: Lane) -> None:
        self.step(lambda: self.outbox.finish(ended, lane))

    def release(self, lane: Lane, tried: Delivery | None) -> None:
        self.step(lambda: self.outbox.release(lane, tried))

    def of(self, name: str) -> Channel:
        return MortalChannel(self, self.channels.of(name))


@dataclass
class MortalChannel:
    life: Mortal
    channel: Channel

    @property
    def knows(self) -> bool:
        return self.channel.knows

    def deliver(self, waiting: Delivery, memory: Any) -> Any:
        return self.life.step(lambda: self.channel.deliver(waiting, memory))


def cut_short(fake: Vendors, name: str, point: int) -> tuple[World, bool]:
    """A deliverer that dies at this point, and another one that takes over a minute later."""
    arrivals = (fake.events, fake.posts, fake.incidents, fake.hooks, fake.simple, fake.edits)
    for arrived in (*arrivals, fake.notes, fake.statuses):
        arrived.clear()
    world = World(fake, (name,))
    told(world)
    mortal = Mortal(world.outbox, world.channels, world.secrets, point)
    mortal.channels = CatalogChannels(
        world.knowledge, mortal, world.clock, world.topic, lambda: world.ses
    )
    outbox, channels = world.outbox, world.channels
    world.outbox, world.channels = mortal, mortal
    try:
        world.until_all_is_there()
    except Killed:
        world.outbox, world.channels = outbox, channels
        world.clock.moment += timedelta(seconds=61)
        world.until_all_is_there()
    return world, mortal.count >= point


@pytest.mark.parametrize("name", WANTED)
def test_a_kill_between_any_two_steps_loses_and_doubles_nothing(name: str, fake: Vendors) -> None:
    for point in itertools.count(1):
        _, died = cut_short(fake, name, point)
        assert in_effect(name, fake) == WANTED[name], point
        if not died:
            assert point > 10
            return


BLIND: dict[str, tuple[list[str], Callable[[World], list[str]]]] = {
    "simple": (
        ["page", "update:Investigating", "update:Identified", "update:Resolved"],
        lambda world: [_ID[post["text"]] for post in world.fake.simple],
    ),
    "mail": (
        ["approval"],
        lambda world: [mail["Content"]["Simple"]["Headers"][0]["Value"] for mail in world.ses.sent],
    ),
}
"""Channels where nobody can find out what became of an attempt: what they get, what arrived."""


@pytest.mark.parametrize("name", BLIND)
def test_where_nobody_can_look_a_kill_is_told_and_calls_for_action_come_through(
    name: str, fake: Vendors
) -> None:
    wanted, arrived = BLIND[name]
    for point in itertools.count(1):
        world, died = cut_short(fake, name, point)
        found, notes = arrived(world), world.events()
        lost = [message for message in wanted if message not in found]
        twice = [message for message in wanted if found.count(message) > 1]
        assert sorted(set(found), key=found.index) == [m for m in wanted if m not in lost], point
        assert not {"page", "approval"} & set(lost), point
        assert set(twice) <= {"page", "approval"}, point
        assert len(lost) <= notes.count("DeliveryUncertain") <= 1, point
        assert len(twice) <= notes.count("DeliveryRepeated") <= 1, point
        if not died:
            assert (lost, twice, notes) == ([], [], [])
            return


def test_an_answer_that_was_lost_doubles_no_news_and_loses_no_call(fake: Vendors) -> None:
    world = World(fake, ("simple",))
    fake.faults.extend(["lost", "", "lost"])
    told(world)
    world.until_all_is_there()
    found = BLIND["simple"][1](world)
    assert (found.count("page"), found.count("update:Investigating")) == (2, 1)
    assert world.events() == ["DeliveryRepeated", "DeliveryUncertain"]


def test_a_refusal_is_no_doubt(fake: Vendors) -> None:
    world = World(fake, ("mail",))
    world.ses.faults.extend(["throttled", "throttled"])
    told(world)
    world.until_all_is_there()
    assert len(world.ses.sent) == 1
    assert world.events() == ["DeliveryFailed", "DeliveryRecovered"]


def test_a_secret_that_is_missing_for_a_while_is_no_doubt_either(fake: Vendors) -> None:
    world = World(fake, ("simple",))
    address = world.secrets.texts.pop("channels/simple")
    told(world)
    world.deliver()
    world.secrets.texts["channels/simple"] = address
    world.clock.moment += timedelta(minutes=6)
    world.until_all_is_there()
    assert BLIND["simple"][1](world) == BLIND["simple"][0]


def test_an_approvers_link_is_for_the_approver_alone(fake: Vendors) -> None:
    world = World(fake)
    told(world)
    world.until_all_is_there()
    (private,) = [p for p in fake.posts if LINK in str(p)]
    assert private["channel"].startswith("D")
    buttons = [e for b in private["blocks"] if b["type"] == "actions" for e in b["elements"]]
    assert [b["url"] for b in buttons] == [f"{LINK}#decide"] * 2
    assert LINK not in str(fake.hooks)
    assert LINK not in str(world.outbox.of_incident(INCIDENT_ID))
    assert LINK not in str([p for p in fake.posts if p["channel"] == ROOM])


def test_slack_has_one_thread_whose_head_is_edited_and_that_shouts_at_nobody(
    fake: Vendors,
) -> None:
    world = World(fake)
    told(world)
    world.until_all_is_there()
    room = [p for p in fake.posts if p["channel"] == ROOM]
    assert [p.get("thread_ts") for p in room] == [None, *[room[0]["ts"]] * 4]
    assert {edit["ts"] for edit in fake.edits} == {room[0]["ts"]}
    assert "Resolved" in fake.edits[-1]["text"]
    assert "<!channel>" not in str(room[1]["blocks"][1:])


def test_the_status_page_knows_the_component_and_that_it_recovers(fake: Vendors) -> None:
    world = World(fake)
    told(world, story()[:2])
    world.until_all_is_there()
    assert fake.incidents[0]["components"] == {"cmp1": "major_outage"}
    told(world, story()[5:])
    world.until_all_is_there()
    (incident,) = fake.incidents
    assert incident["components"] == {"cmp1": "operational"}
    assert incident["status"] == "resolved"


def test_an_incident_of_pagerduty_is_answered_there_and_not_doubled(fake: Vendors) -> None:
    world = World(fake, ("pager",))
    fake.faults.extend(["lost", "", "lost"])
    told(world, story(theirs="PABC123"))
    world.until_all_is_there()
    assert fake.events == []
    assert len(fake.notes) == len(set(fake.notes)) == 3
    assert list(dict.fromkeys(fake.statuses)) == ["acknowledged", "resolved"]


def test_a_dead_channel_holds_up_no_other_and_is_seen(fake: Vendors) -> None:
    world = World(fake)
    world.secrets.texts["channels/slack"] = "revoked"
    told(world)
    for _ in range(6):
        world.deliver()
        world.clock.moment += timedelta(minutes=5)
    assert in_effect("status", fake) == WANTED["status"]
    assert [m.id for m in world.topic.messages][:2] == ["page", "update:Investigating"]
    assert world.events() == ["DeliveryFailed"]
    waiting = [d for d in world.outbox.of_incident(INCIDENT_ID) if d.channel == "slack"]
    assert {d.status for d in waiting} == {DeliveryStatus.WAITING}
    assert "invalid_auth" in waiting[0].error
    world.secrets.texts["channels/slack"] = SECRETS["channels/slack"]
    world.until_all_is_there()
    assert in_effect("slack", fake) == WANTED["slack"]
    assert world.events() == ["DeliveryFailed", "DeliveryRecovered"]


def test_what_a_vendor_refuses_for_good_is_told_and_lets_the_next_pass(fake: Vendors) -> None:
    world = World(fake, ("status",))
    fake.faults.append("422")
    told(world, story()[1:2])
    told(world, story()[4:])
    world.until_all_is_there()
    assert world.events() == ["DeliveryRefused"]
    assert in_effect("status", fake) == [["[Identified] Orders", "[Resolved] Orders"]]


def test_retry_after_is_obeyed(fake: Vendors) -> None:
    world = World(fake, ("hook",))
    fake.faults.append("429")
    told(world, story()[:1])
    world.deliver()
    assert len(fake.hooks) == 1
    assert world.clock.slept >= 2


class Hanging:
    """A channel that is down, and counts who tries it."""

    knows = True

    def __init__(self) -> None:
        self.tried = 0

    def of(self, _: str) -> "Hanging":
        return self

    def deliver(self, waiting: Delivery, memory: Any) -> Any:
        self.tried += 1
        raise ChannelDown("hangs", doubtful=True)


def test_a_hanging_channel_is_asked_once_a_round_not_once_an_incident(fake: Vendors) -> None:
    world, hanging = World(fake, ()), Hanging()
    for number in range(30):
        other = f"INC-20261122-7F3{number:02d}"
        world.outbox.put(a_message(incident_id=other), (TOPIC,))
    world.channels = hanging
    world.deliver()
    assert hanging.tried <= 8


def test_without_channels_everything_goes_to_the_topic(fake: Vendors) -> None:
    world = World(fake, ())
    told(world)
    world.until_all_is_there()
    ids = [message.id for message in world.topic.messages]
    assert ids == [m.id for m in story() if m.kind != "acknowledged"]


def test_channels_side_by_side_deliver_the_same(fake: Vendors) -> None:
    world = World(fake)
    told(world)
    world.deliver(parallel=True)
    for name, wanted in WANTED.items():
        assert in_effect(name, fake) == wanted
