"""Approvals over HTTP: a GET shows, a POST decides, and a bad link tells nothing."""

import json
from urllib.parse import urlencode

import pytest

from incident_squad.domain.approval import ApprovalStatus
from incident_squad.domain.incident import IncidentStatus
from incident_squad.pages.web import Answer, Request
from tests.builders import INCIDENT_ID, later
from tests.website import APPROVER, Website, a_website

PAGE = {"accept": "text/html", "content-type": "application/x-www-form-urlencoded"}
JSON = {"accept": "application/json", "content-type": "application/json"}


@pytest.fixture
def site() -> Website:
    return a_website()


def show(site: Website, link: str) -> Answer:
    return site.answer("GET", f"/approvals/{link}", Request(headers=PAGE))


def decide(site: Website, link: str, **fields: str) -> Answer:
    request = Request(headers=PAGE, body=urlencode(fields))
    return site.answer("POST", f"/approvals/{link}", request)


def standing(site: Website) -> ApprovalStatus:
    return site.approvals.of_incident(INCIDENT_ID)[0].status


def test_the_page_shows_exactly_what_would_be_done(site: Website) -> None:
    body = show(site, site.link()).body
    for shown in ("Terminate the stuck sessions", "4711", "idle_seconds = 60", "80% confidence"):
        assert shown in body
    assert f"You decide as <strong>{APPROVER}</strong>" in body
    assert "Exactly these 3" in body


def test_looking_decides_nothing_however_often(site: Website) -> None:
    link = site.link()
    for _ in range(3):
        assert show(site, f"{link}").status == 200
    query = Request(headers=PAGE, query={"decision": "approve"})
    site.answer("GET", f"/approvals/{link}", query)
    assert standing(site) is ApprovalStatus.PENDING


@pytest.mark.parametrize(
    ("word", "status"),
    [("approve", ApprovalStatus.APPROVED), ("reject", ApprovalStatus.REJECTED)],
)
def test_a_form_decides(site: Website, word: str, status: ApprovalStatus) -> None:
    answer = decide(site, site.link(), decision=word, comment="go <b>on</b>")
    assert answer.status == 200
    assert standing(site) is status
    assert "go &lt;b&gt;on&lt;/b&gt;" in answer.body


def test_json_decides_too(site: Website) -> None:
    request = Request(headers=JSON, body=json.dumps({"decision": "approve"}))
    answer = site.answer("POST", f"/approvals/{site.link()}", request)
    assert json.loads(answer.body)["status"] == "approved"
    assert json.loads(answer.body)["decidedBy"] == APPROVER


@pytest.mark.parametrize("body", ["", "{", "[]", "[" * 9000, '{"decision": "maybe"}', "x" * 30000])
def test_without_a_clear_decision_nothing_is_decided(site: Website, body: str) -> None:
    link = site.link()
    for headers in (PAGE, JSON):
        answer = site.answer("POST", f"/approvals/{link}", Request(headers=headers, body=body))
        assert answer.status == 400
    assert standing(site) is ApprovalStatus.PENDING


def test_every_link_that_does_not_count_gets_the_same_page(site: Website) -> None:
    link = site.link()
    neutral = show(site, "nonsense")
    assert neutral.status == 404
    bent = link[:-3] + ("AAA" if not link.endswith("AAA") else "BBB")
    for bad in ("x" * 5000, bent, link.replace(INCIDENT_ID, "INC-20261122-00000"), "~~~~"):
        assert show(site, bad) == neutral
        assert decide(site, bad, decision="approve") == neutral
    assert standing(site) is ApprovalStatus.PENDING
    site.clock.moment = later(hours=1)
    assert show(site, link) == neutral
    assert decide(site, link, decision="approve") == neutral


def test_a_link_counts_once(site: Website) -> None:
    link = site.link()
    assert decide(site, link, decision="reject").status == 200
    assert decide(site, link, decision="approve").status == 404
    assert standing(site) is ApprovalStatus.REJECTED


def test_a_link_is_void_once_a_human_has_taken_over(site: Website) -> None:
    link = site.link()
    site.incidents.change(INCIDENT_ID, status=IncidentStatus.HANDED_OVER)
    assert show(site, link).status == 404


def test_a_hostile_title_does_nothing() -> None:
    site = a_website("<script>alert(1)</script><form action='//evil'>")
    body = show(site, site.link()).body
    assert "<script>alert" not in body
    assert body.count("<form") == 1
