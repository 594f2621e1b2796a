"""Public texts that wait for a human: who decides, about what, and what goes out until then."""

import json
from datetime import timedelta
from typing import Any

import pytest

from incident_squad.domain.approval import ApprovalLink, ApprovalStatus, Decision
from incident_squad.domain.errors import ApprovalRefused
from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.timeline import Actor
from incident_squad.domain.update import UpdateState
from incident_squad.domain.values import Severity
from incident_squad.pages.web import Request
from incident_squad.steps.approval_links import read_link, write_link
from tests.builders import INCIDENT_ID, NOW, a_catalog, later
from tests.fakes import MemorySigner
from tests.voice import HELD, Voice


def held() -> Voice:
    world = Voice(policies=HELD)
    world.say(UpdateState.INVESTIGATING)
    return world


def told(world: Voice) -> list[str]:
    return [name for name in world.events() if name.startswith(("Public", "ApprovalRefused"))]


def test_colleagues_are_told_at_once_and_customers_nothing() -> None:
    world = held()
    assert [m.kind for m in world.through("slack")] == ["update"]
    assert "external" not in world.through("slack")[0].details
    assert world.on_status_page() == []
    assert world.shown() == []
    assert told(world) == ["PublicTextHeld"]


def test_every_approver_has_a_link_of_their_own() -> None:
    world = held()
    read = [read_link(link) for link in world.links()]
    assert {link.approver for link in read if link} == {"ada@example.com", "ben@example.com"}


def test_an_approved_text_goes_out_word_for_word() -> None:
    world = held()
    (update,) = world.incidents.updates(INCIDENT_ID)
    world.decide.decide(world.links()[0], Decision.APPROVED, "fine")
    assert world.on_status_page() == [update.external]
    assert [u.external for u in world.shown()] == [update.external]
    assert told(world) == ["PublicTextHeld", "PublicTextApproved"]
    assert world.timeline.read(INCIDENT_ID)[-1].actor == Actor.human("ada@example.com")


def test_a_rejected_text_stays_in_and_is_told_to_those_on_call() -> None:
    world = held()
    world.decide.decide(world.links()[1], Decision.REJECTED, "not before legal has read it")
    assert world.on_status_page() == []
    assert world.shown() == []
    told = world.through("slack")[-1]
    assert "ben@example.com rejected" in told.subject
    assert "legal" in told.subject


def test_a_text_that_nobody_decides_about_expires_visibly() -> None:
    world = held()
    world.tick(9)
    assert told(world) == ["PublicTextHeld"]
    world.tick(1)
    assert "PublicTextExpired" in told(world)
    with pytest.raises(ApprovalRefused):
        world.decide.decide(world.links()[0], Decision.APPROVED)
    assert world.on_status_page() == []
    assert any("Nobody decided in time" in m.subject for m in world.through("slack"))


def test_a_get_decides_nothing_however_often_it_is_fetched() -> None:
    world = held()
    for link in world.links() * 3:
        shown = world.api.show(Request(headers={"accept": "text/html"}), link)
        assert shown.status == 200
        assert "Publish this text" in shown.body
        assert world.api.show(Request(), link).status == 200
    assert told(world) == ["PublicTextHeld"]
    assert world.on_status_page() == []


def test_a_post_decides_and_a_replay_does_not() -> None:
    world = held()
    form = Request(body="decision=approve&comment=", headers={"accept": "text/html"})
    assert "Approved. Customers can read it." in world.api.decide(form, world.links()[0]).body
    for link in world.links():
        assert world.api.decide(form, link).status == 404
        assert world.api.decide(Request(body="decision=reject"), link).status == 404
    assert len(world.on_status_page()) == 1
    assert len(world.shown()) == 1
    assert (
        "Approved"
        in world.api.show(Request(headers={"accept": "text/html"}), world.links()[0]).body
    )


def test_a_post_without_a_decision_decides_nothing() -> None:
    world = held()
    assert world.api.decide(Request(body="decision=maybe"), world.links()[0]).status == 400
    assert told(world) == ["PublicTextHeld"]


@pytest.mark.parametrize("field_", ["external", "public_name", "next_due_at"])
def test_a_text_that_was_changed_after_it_was_asked_about_cannot_be_approved(field_: str) -> None:
    world = held()
    (update,) = world.incidents.updates(INCIDENT_ID)
    change = {"external": "All is well.", "public_name": "Other", "next_due_at": later(hours=9)}
    world.incidents.put_update(INCIDENT_ID, update.model_copy(update={field_: change[field_]}))
    with pytest.raises(ApprovalRefused):
        world.decide.decide(world.links()[0], Decision.APPROVED)
    assert world.on_status_page() == []
    assert world.shown() == []


def test_a_text_that_was_changed_after_its_approval_is_not_shown() -> None:
    world = held()
    world.decide.decide(world.links()[0], Decision.APPROVED)
    (update,) = world.incidents.updates(INCIDENT_ID)
    world.incidents.put_update(INCIDENT_ID, update.model_copy(update={"external": "Pwned."}))
    assert world.shown() == []
    world.texts.settle(INCIDENT_ID)
    assert "Pwned." not in str(world.through("status"))


def test_no_forged_link_counts() -> None:
    world = held()
    link = world.links()[0]
    for place in range(len(link)):
        other = "A" if link[place] != "A" else "B"
        forged = link[:place] + other + link[place + 1 :]
        assert world.api.show(Request(), forged).status == 404
        assert world.api.decide(Request(body="decision=approve"), forged).status == 404
    assert world.on_status_page() == []
    noted = [event for event in told(world) if event == "ApprovalRefused"]
    assert 0 < len(noted) <= 20


def test_a_link_about_a_plan_is_none_about_a_text() -> None:
    world = held()
    plan_link = world.links()[0]
    assert world.requests.get(INCIDENT_ID, plan_link.split("~")[1]) is not None
    # The same fields, signed as a link about a plan.
    request = world.requests.of_incident(INCIDENT_ID)[0]
    forged = ApprovalLink(
        incident_id=INCIDENT_ID, approval_id=request.id, approver="ada@example.com",
        plan_hash=request.plan_hash, expires=int(request.expires_at.timestamp()),
    )  # fmt: skip
    with pytest.raises(ApprovalRefused):
        world.decide.decide(write_link(forged, MemorySigner(b"a key")), Decision.APPROVED)


def test_a_newer_text_takes_the_place_of_one_that_waits() -> None:
    world = held()
    first = world.links()
    world.say(UpdateState.IDENTIFIED)
    with pytest.raises(ApprovalRefused):
        world.decide.decide(first[0], Decision.APPROVED)
    shown = world.api.show(Request(headers={"accept": "text/html"}), first[0])
    assert "A newer text took its place" in shown.body
    world.decide.decide(world.links()[-1], Decision.APPROVED)
    assert [u.state for u in world.shown()] == [UpdateState.IDENTIFIED]
    assert len(world.on_status_page()) == 1


def test_the_promise_of_a_text_that_nobody_read_is_not_broken_and_that_of_one_read_is() -> None:
    unread = held()
    unread.tick(40)
    names = [event.event for event in unread.timeline.read(INCIDENT_ID)]
    assert "PromiseBroken" not in names
    read = held()
    read.decide.decide(read.links()[0], Decision.APPROVED)
    read.tick(40)  # the promised update was written and asked about, and nobody decided
    names = [event.event for event in read.timeline.read(INCIDENT_ID)]
    assert names.count("PromiseBroken") == 1
    assert len(read.on_status_page()) == 1


def test_the_promised_update_asks_early_enough_to_be_read() -> None:
    world = held()
    world.decide.decide(world.links()[0], Decision.APPROVED)
    world.tick(10)
    assert len(world.links()) == 4
    world.decide.decide(world.links()[-1], Decision.APPROVED)
    world.tick(5)
    assert len(world.on_status_page()) == 2
    assert "PromiseBroken" not in [e.event for e in world.timeline.read(INCIDENT_ID)]


def test_a_correction_waits_too() -> None:
    world = held()
    world.decide.decide(world.links()[0], Decision.APPROVED)
    world.clock.moment += timedelta(minutes=1)
    world.publish.correct(INCIDENT_ID, "Only card payments fail.", Actor.human("a@b.example"))
    assert len(world.shown()) == 1
    world.decide.decide(world.links()[-1], Decision.APPROVED)
    assert "Only card payments fail." in world.shown()[0].external


def test_an_incident_that_was_resolved_meanwhile_still_ends_its_request() -> None:
    world = held()
    world.say(UpdateState.RESOLVED)
    world.incidents.change(INCIDENT_ID, status=IncidentStatus.RESOLVED)
    world.tick(11)
    assert told(world)[-1] == "PublicTextExpired"


def test_a_crash_between_decision_and_publication_is_repaired() -> None:
    world = held()
    request = world.requests.of_incident(INCIDENT_ID)[0]
    world.requests.decide(request, ApprovalStatus.APPROVED, "ada@example.com", NOW, "")
    assert world.shown() == []  # not on the timeline yet
    world.tick(1)
    world.tick(1)
    assert len(world.shown()) == 1
    assert len(world.on_status_page()) == 1
    assert told(world) == ["PublicTextHeld", "PublicTextApproved"]


@pytest.mark.parametrize(
    ("severity", "policies"),
    [(Severity.SEV2, {"approve_public_texts": ["SEV1"]}), (Severity.SEV1, {})],
)
def test_what_need_not_wait_does_not(severity: Severity, policies: dict[str, Any]) -> None:
    world = Voice(severity, policies)
    world.say(UpdateState.INVESTIGATING)
    assert len(world.on_status_page()) == 1
    assert world.links() == []


def test_approvers_of_texts_can_be_named() -> None:
    policies = {"approve_public_texts": ["SEV1"], "public_approvers": ["vera"]}
    world = Voice(policies=policies)
    world.say(UpdateState.INVESTIGATING)
    assert [read.approver for link in world.links() if (read := read_link(link))] == [
        "vera@example.com"
    ]
    with pytest.raises(ValueError, match="nobody"):
        a_catalog(policies={"public_approvers": ["nobody"]})


def test_the_page_escapes_whatever_the_text_holds() -> None:
    world = Voice(policies=HELD)
    world.incidents.change(INCIDENT_ID, title="<script>alert(1)</script>")
    world.say(UpdateState.INVESTIGATING)
    shown = world.api.show(Request(headers={"accept": "text/html"}), world.links()[0])
    assert "<script>alert" not in shown.body
    assert json.loads(world.api.show(Request(), world.links()[0]).body)["external"]
