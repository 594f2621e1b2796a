"""Laws 1 and 2: a decision counts once, by its own link, about the very plan, in time."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_squad.adapters.memory import (
    FixedClock,
    MemoryApprovals,
    MemoryIncidents,
    MemoryKnowledge,
    MemoryNotifier,
    MemorySigner,
    MemoryTimeline,
    MemoryWorkflow,
)
from incident_squad.contracts import RequestApprovalInput
from incident_squad.domain.approval import Approval, ApprovalStatus, Decision
from incident_squad.domain.errors import ApprovalRefused, PolicyViolation
from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.plan import Applier
from incident_squad.steps.decide_approval import DecideApproval
from incident_squad.steps.refusals import REFUSALS_NOTED
from incident_squad.steps.request_approval import RequestApproval
from tests.builders import (
    INCIDENT_ID,
    NOW,
    a_catalog,
    a_plan,
    a_runbook,
    an_alert,
    an_incident,
    later,
)


@dataclass
class World:
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))

    def __post_init__(self) -> None:
        self.incidents = MemoryIncidents(self.clock)
        self.timeline = MemoryTimeline(self.incidents, self.clock)
        self.approvals = MemoryApprovals(self.clock)
        self.workflow = MemoryWorkflow()
        self.notifier = MemoryNotifier()
        self.signer = MemorySigner()
        self.incidents.open(an_incident(), an_alert(), later(hours=6))
        self.incidents.put_plan(a_plan())
        self.decide = DecideApproval(
            incidents=self.incidents,
            approvals=self.approvals,
            timeline=self.timeline,
            workflow=self.workflow,
            signer=self.signer,
            clock=self.clock,
        )
        self.request = RequestApproval(
            incidents=self.incidents,
            approvals=self.approvals,
            timeline=self.timeline,
            notifier=self.notifier,
            signer=self.signer,
            knowledge=MemoryKnowledge(a_catalog(), {"pool": a_runbook()}),
            clock=self.clock,
            decide=self.decide,
            public_url=lambda: "https://squad.example.com/",
        )

    def asked(self, token: str = "token-1") -> list[str]:
        """Ask for approval; gives the links that were sent."""
        self.request(RequestApprovalInput(incident_id=INCIDENT_ID, task_token=token))
        return [
            m.link.rsplit("/", 1)[1]
            for m in self.notifier.messages
            if m.kind == "approval" and m.link
        ]

    def events(self, name: str) -> list[str]:
        return [e.summary for e in self.timeline.read(INCIDENT_ID) if e.event == name]

    @property
    def approval(self) -> Approval:
        return self.approvals.of_incident(INCIDENT_ID)[-1]


@pytest.fixture
def world() -> World:
    return World()


def test_each_approver_gets_a_link_of_their_own(world: World) -> None:
    links = world.asked()
    assert len(links) == len(set(links)) == 2
    assert [m.recipients for m in world.notifier.messages] == [
        ("ada@example.com",),
        ("ben@example.com",),
    ]
    assert world.incidents.get(INCIDENT_ID).status is IncidentStatus.AWAITING_APPROVAL


def test_looking_fifty_times_decides_nothing(world: World) -> None:
    link = world.asked()[0]
    for _ in range(50):
        view = world.decide.view(link)
        assert view is not None
        assert view.approver == "ada@example.com"
    assert world.approval.status is ApprovalStatus.PENDING
    assert not world.workflow.decisions


def test_a_decision_reaches_the_workflow_and_the_timeline(world: World) -> None:
    decided = world.decide.decide(world.asked()[0], Decision.APPROVED, "go")
    assert decided.delivered
    assert world.workflow.decisions["token-1"] == (Decision.APPROVED, world.approval.id)
    assert world.events("ApprovalDecided") == ["Approved by ada@example.com: go"]
    assert world.approval.sent


def test_a_second_decision_is_refused_and_noted(world: World) -> None:
    ada, ben = world.asked()
    world.decide.decide(ada, Decision.REJECTED)
    for link in (ada, ben):
        with pytest.raises(ApprovalRefused, match="decided before"):
            world.decide.decide(link, Decision.APPROVED)
        assert world.decide.view(link) is None
    assert world.approval.status is ApprovalStatus.REJECTED
    assert len(world.events("ApprovalRefused")) == 2


@given(place=st.integers(min_value=0), change=st.integers(min_value=1, max_value=63))
def test_any_changed_character_voids_a_link(place: int, change: int) -> None:
    world = World()
    link = world.asked()[0]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    place %= len(link)
    old = link[place]
    new = letters[(letters.find(old) + change) % 64]
    forged = link[:place] + new + link[place + 1 :]
    if forged == link:
        return
    assert world.decide.view(forged) is None
    with pytest.raises(ApprovalRefused):
        world.decide.decide(forged, Decision.APPROVED)
    assert world.approval.status is ApprovalStatus.PENDING


def test_a_forged_link_is_noted_on_its_incident_but_a_flood_does_not_bury_it(world: World) -> None:
    link = world.asked()[0]
    forged = link[:-3] + ("AAA" if not link.endswith("AAA") else "BBB")
    for _ in range(REFUSALS_NOTED + 30):
        assert world.decide.view(forged) is None
    assert len(world.events("ApprovalRefused")) == REFUSALS_NOTED


def test_an_expired_link_is_refused(world: World) -> None:
    link = world.asked()[0]
    world.clock.moment = later(minutes=31)
    assert world.decide.view(link) is None
    with pytest.raises(ApprovalRefused, match="expired"):
        world.decide.decide(link, Decision.APPROVED)
    assert world.events("ApprovalRefused")


def test_a_changed_plan_voids_the_link(world: World) -> None:
    link = world.asked()[0]
    world.incidents.put_plan(a_plan(estimated_time="6 minutes"))
    assert world.decide.view(link) is None
    assert not world.workflow.decisions
    with pytest.raises(ApprovalRefused, match="plan has changed"):
        world.decide.decide(link, Decision.APPROVED)
    assert world.workflow.decisions["token-1"][0] is Decision.VOID
    assert world.approval.status is ApprovalStatus.VOID


def test_a_handed_over_incident_takes_no_decision(world: World) -> None:
    link = world.asked()[0]
    world.incidents.change(INCIDENT_ID, status=IncidentStatus.HANDED_OVER)
    with pytest.raises(ApprovalRefused, match="handed_over"):
        world.decide.decide(link, Decision.APPROVED)


def test_a_repeated_request_keeps_the_links_good_and_asks_nobody_twice(world: World) -> None:
    link = world.asked("token-1")[0]
    world.asked("token-2")
    assert len(world.notifier.messages) == 2
    assert world.decide.decide(link, Decision.APPROVED).delivered
    assert list(world.workflow.decisions) == ["token-2"]


def test_a_decision_made_while_no_workflow_ran_is_delivered_to_the_next(world: World) -> None:
    link = world.asked("token-1")[0]
    world.workflow.gone.add("token-1")
    assert not world.decide.decide(link, Decision.APPROVED).delivered
    world.asked("token-2")
    assert world.workflow.decisions["token-2"][0] is Decision.APPROVED
    assert len(world.events("ApprovalDecided")) == 1


def test_the_task_token_is_in_no_message_and_no_event(world: World) -> None:
    link = world.asked("secret-token")[0]
    world.decide.decide(link, Decision.APPROVED)
    said = [m.model_dump_json() for m in world.notifier.messages]
    said += [e.model_dump_json() for e in world.timeline.read(INCIDENT_ID)]
    said += [world.approval.model_dump_json()]
    assert not any("secret-token" in text for text in said)


def test_a_plan_that_nobody_may_apply_is_never_put_to_approval(world: World) -> None:
    world.incidents.put_plan(a_plan(applier=Applier.NOBODY))
    with pytest.raises(PolicyViolation):
        world.asked()
    assert not world.notifier.messages


@pytest.mark.parametrize(
    "link", ["", "x", "~~~~", "INC-20261122-7F3KQ~zz~", "a" * 5000, "INC-20261122-7F3KQ~" * 40]
)
def test_garbage_is_refused_quietly(world: World, link: str) -> None:
    assert world.decide.view(link) is None
    with pytest.raises(ApprovalRefused):
        world.decide.decide(link, Decision.APPROVED)
