"""Notify, draft and publish: the right people, once, whatever breaks in between."""

from dataclasses import dataclass, field

import pytest

from incident_squad.adapters.memory import (
    FixedClock,
    MemoryApprovals,
    MemoryIncidents,
    MemoryKnowledge,
    MemoryNotifier,
    MemoryTimeline,
)
from incident_squad.contracts import IncidentInput, UpdateInput
from incident_squad.domain.delivery import Message
from incident_squad.domain.errors import AuditFailure, PolicyViolation, TransientFailure
from incident_squad.domain.triage import Triage
from incident_squad.domain.update import UpdateState
from incident_squad.domain.values import Severity
from incident_squad.steps.draft_update import DraftUpdate
from incident_squad.steps.notify_on_call import NotifyOnCall
from incident_squad.steps.publish_update import PublishUpdate
from incident_squad.steps.read_record import ReadRecord
from tests.builders import (
    INCIDENT_ID,
    NOW,
    a_catalog,
    a_diagnosis,
    a_runbook,
    a_triage,
    an_alert,
    an_incident,
    later,
)

INVESTIGATING = UpdateInput(incident_id=INCIDENT_ID, state=UpdateState.INVESTIGATING)
INCIDENT = IncidentInput(incident_id=INCIDENT_ID)


@dataclass
class World:
    triage: Triage | None = field(default_factory=a_triage)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    notifier: MemoryNotifier = field(default_factory=MemoryNotifier)

    def __post_init__(self) -> None:
        self.incidents = MemoryIncidents(self.clock)
        self.timeline = MemoryTimeline(self.incidents, self.clock)
        knowledge = MemoryKnowledge(a_catalog(), {"pool": a_runbook()})
        record = ReadRecord(self.incidents, MemoryApprovals(self.clock), self.timeline)
        severity = self.triage.severity if self.triage else None
        self.incidents.open(
            an_incident(triage=self.triage, severity=severity), an_alert(), later(hours=1)
        )
        self.notify = NotifyOnCall(
            incidents=self.incidents,
            timeline=self.timeline,
            notifier=self.notifier,
            knowledge=knowledge,
            clock=self.clock,
            view_link=lambda name, _="": f"https://squad.example.com/incidents/{name}",
        )
        self.draft = DraftUpdate(self.incidents, self.timeline, knowledge, self.clock, record)
        self.publish = PublishUpdate(
            self.incidents, self.timeline, self.notifier, self.draft, lambda name: f"/{name}"
        )

    def pages(self) -> list[Message]:
        return [message for message in self.notifier.messages if message.kind != "call"]

    def events(self, name: str) -> list[str]:
        events = self.timeline.read(INCIDENT_ID)
        return [event.summary for event in events if event.event == name]


def of_severity(severity: Severity) -> World:
    return World(a_triage(severity=severity))


def test_sev1_pages_on_call_and_vp_with_the_card_and_a_link() -> None:
    world = World()
    told = world.notify(INCIDENT).recipients
    (page,) = world.pages()
    assert told == page.recipients == ("ada@example.com", "ben@example.com", "vera@example.com")
    assert page.urgent
    assert page.kind == "page"
    assert len(page.body.splitlines()) == 5
    assert page.link == f"https://squad.example.com/incidents/{INCIDENT_ID}"
    assert world.events("OnCallNotified") == [
        "Paged ada@example.com, ben@example.com, vera@example.com"
    ]


def test_sev3_is_a_notice_in_the_channel() -> None:
    world = of_severity(Severity.SEV3)
    assert world.notify(INCIDENT).recipients == ("#incidents",)
    assert not world.notifier.messages[0].urgent


def test_sev4_is_on_the_timeline_only() -> None:
    world = of_severity(Severity.SEV4)
    assert world.notify(INCIDENT).recipients == ()
    world.publish(INVESTIGATING)
    assert world.notifier.messages == []
    assert world.events("OnCallNotified") == ["Nobody is told of a SEV4"]


def test_a_repeated_page_is_the_same_message() -> None:
    world = World()
    world.notify(INCIDENT)
    world.notify(INCIDENT)
    first, second = world.pages()
    assert first.id == second.id
    assert len(world.events("OnCallNotified")) == 1


def test_nobody_is_told_before_triage() -> None:
    with pytest.raises(PolicyViolation):
        World(triage=None).notify(INCIDENT)


@pytest.mark.parametrize("act", ["notify", "publish"])
def test_without_an_audit_trail_nothing_is_sent(act: str) -> None:
    world = World()
    world.timeline.fail = True
    with pytest.raises(AuditFailure):
        _ = world.notify(INCIDENT) if act == "notify" else world.publish(INVESTIGATING)
    assert world.notifier.messages == []
    assert not any(update.published for update in world.incidents.updates(INCIDENT_ID))


def test_a_draft_is_kept_and_published_as_it_is() -> None:
    world = World()
    assert world.draft(INVESTIGATING).published is False
    (draft,) = world.incidents.updates(INCIDENT_ID)
    assert world.publish(INVESTIGATING).published is True
    (published,) = world.incidents.updates(INCIDENT_ID)
    assert published == draft.model_copy(update={"published": True, "told": True, "number": 1})
    assert world.events("UpdateDrafted") == ["Drafted the update Investigating"]
    assert world.events("UpdatePublished") == [
        "Published the update Investigating; the next one is due by 12:15 UTC"
    ]


def test_publishing_writes_what_was_not_drafted() -> None:
    world = World()
    world.publish(UpdateInput(incident_id=INCIDENT_ID, state=UpdateState.RESOLVED))
    (update,) = world.incidents.updates(INCIDENT_ID)
    assert update.published
    assert update.next_due_at is None


def test_colleagues_read_the_internal_text_in_the_channel() -> None:
    world = World()
    world.publish(INVESTIGATING)
    (message,) = world.notifier.messages
    assert message.recipients == ("#incidents",)
    assert message.body == world.incidents.updates(INCIDENT_ID)[0].internal
    assert not message.urgent


def test_a_dead_channel_keeps_no_update_from_customers_and_loses_no_message() -> None:
    world = World()
    world.notifier.fail = True
    with pytest.raises(TransientFailure):
        world.publish(INVESTIGATING)
    assert world.incidents.updates(INCIDENT_ID)[0].published
    world.notifier.fail = False
    world.publish(INVESTIGATING)
    assert len(world.notifier.messages) == 1
    assert len(world.events("UpdatePublished")) == 1


def test_a_crash_between_audit_and_publication_doubles_nothing() -> None:
    world = World()
    world.publish(INVESTIGATING)
    update = world.incidents.updates(INCIDENT_ID)[0]
    world.incidents.put_update(INCIDENT_ID, update.model_copy(update={"published": False}))
    world.publish(INVESTIGATING)
    assert len(world.incidents.updates(INCIDENT_ID)) == 1
    assert len(world.events("UpdatePublished")) == 1


def test_a_draft_with_a_promise_in_the_past_is_written_anew() -> None:
    world = World()
    world.draft(INVESTIGATING)
    world.clock.moment = later(minutes=20)
    world.publish(INVESTIGATING)
    assert world.incidents.updates(INCIDENT_ID)[-1].next_due_at == later(minutes=35)


def test_whoever_was_paged_ahead_is_not_paged_again() -> None:
    world = World()
    world.notify.ahead(world.incidents.get(INCIDENT_ID), a_triage())
    world.notify(INCIDENT)
    first, again = world.pages()
    assert first.id == again.id
    assert len(world.events("OnCallNotified")) == 1


def test_a_raised_severity_pages_those_who_were_not_told_yet() -> None:
    world = World()
    world.notify.ahead(world.incidents.get(INCIDENT_ID), a_triage(severity=Severity.SEV2))
    told = world.notify(INCIDENT).recipients
    first, second = world.pages()
    assert first.recipients == ("ada@example.com",)
    assert second.recipients == ("ben@example.com", "vera@example.com")
    assert told == ("ada@example.com", "ben@example.com", "vera@example.com")
    assert first.id != second.id
    world.notify(INCIDENT)
    assert world.pages()[-1].id == second.id


@pytest.mark.parametrize("conclusive", [True, False])
def test_nothing_is_announced_as_identified_that_was_not(*, conclusive: bool) -> None:
    world = World()
    world.publish(INVESTIGATING)
    world.incidents.put_diagnosis(INCIDENT_ID, a_diagnosis(conclusive=conclusive))
    identified = UpdateInput(incident_id=INCIDENT_ID, state=UpdateState.IDENTIFIED)
    assert world.publish(identified).published is conclusive
    states = [update.state.value for update in world.incidents.updates(INCIDENT_ID)]
    assert states == ["Investigating", *(["Identified"] if conclusive else [])]
