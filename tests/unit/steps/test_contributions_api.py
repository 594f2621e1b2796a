"""What people add over HTTP: "I am on it", and corrections; who may, and what is refused."""

import json

import pytest

from incident_squad.pages.web import Request
from incident_squad.steps.acknowledge import Acknowledge
from incident_squad.steps.contributions_api import ContributionsApi
from incident_squad.steps.draft_update import DraftUpdate
from incident_squad.steps.publish_update import PublishUpdate
from incident_squad.steps.readers import Readers
from tests.builders import INCIDENT_ID, later
from tests.website import TOKEN, Website, a_website

BEARER = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}


@pytest.fixture
def site() -> Website:
    site = a_website()
    site.note(INCIDENT_ID, "OnCallNotified", "Paged ada@example.com", "communicator")
    return site


def api(site: Website) -> ContributionsApi:
    draft = DraftUpdate(site.incidents, site.timeline, site.knowledge, site.clock, site.record)
    return ContributionsApi(
        readers=Readers(site.links, lambda: TOKEN),
        acknowledge=Acknowledge(site.incidents, site.timeline, site.notifier),
        publish=PublishUpdate(
            site.incidents, site.timeline, site.notifier, draft, site.links.address
        ),
    )


def body(**fields: str) -> Request:
    return Request(headers=BEARER, body=json.dumps(fields))


def named(site: Website, event: str) -> list[str]:
    return [e.summary for e in site.timeline.read(INCIDENT_ID) if e.event == event]


def test_a_link_of_ones_own_says_who_is_on_it(site: Website) -> None:
    view = site.links.token(INCIDENT_ID, "ada@example.com")
    request = Request(query={"view": view}, body="by=mallory@example.com")
    assert api(site).acknowledged(request, INCIDENT_ID).status == 200
    assert named(site, "Acknowledged") == ["ada@example.com is on it"]
    assert site.notifier.messages[-1].kind == "acknowledged"


def test_a_link_that_anybody_may_have_lends_nobodys_name(site: Website) -> None:
    request = Request(query={"view": site.links.token(INCIDENT_ID)}, body="by=ada@example.com")
    assert api(site).acknowledged(request, INCIDENT_ID).status == 200
    assert named(site, "Acknowledged") == ["somebody with the link is on it"]


def test_a_name_cannot_be_written_into_a_link(site: Website) -> None:
    shared = site.links.token(INCIDENT_ID).split("~")
    adas = site.links.token(INCIDENT_ID, "ada@example.com").split("~")
    bens = site.links.token(INCIDENT_ID, "ben@example.com").split("~")
    for forged in (
        [shared[0], adas[1], shared[1]],
        [adas[0], bens[1], adas[2]],
        [adas[0], adas[2]],
        [adas[0], adas[1] + "A", adas[2]],
        [adas[0], "_" * 40, adas[2]],
    ):
        request = Request(query={"view": "~".join(forged)})
        assert api(site).acknowledged(request, INCIDENT_ID).status == 401
    assert named(site, "Acknowledged") == []


def test_who_holds_the_token_says_for_whom_and_it_stands_as_said(site: Website) -> None:
    assert api(site).acknowledged(body(by="ada@example.com"), INCIDENT_ID).status == 200
    assert named(site, "Acknowledged") == ["operator for ada@example.com is on it"]


def test_a_browser_gets_a_page_and_a_nameless_click_counts(site: Website) -> None:
    request = Request(
        query={"view": site.links.token(INCIDENT_ID)}, headers={"accept": "text/html"}
    )
    answered = api(site).acknowledged(request, INCIDENT_ID)
    assert "You are on it" in answered.body
    assert named(site, "Acknowledged") == ["somebody with the link is on it"]


def test_strangers_may_do_neither(site: Website) -> None:
    assert api(site).acknowledged(Request(), INCIDENT_ID).status == 401
    assert api(site).correct(Request(), INCIDENT_ID).status == 401
    link = Request(query={"view": site.links.token(INCIDENT_ID)}, body='{"external": "x"}')
    assert api(site).correct(link, INCIDENT_ID).status == 401
    assert named(site, "Acknowledged") == []


def test_a_correction_is_published(site: Website) -> None:
    site.clock.moment = later(minutes=1)
    said = api(site).correct(body(external="Only orders fail.", by="ada@example.com"), INCIDENT_ID)
    assert said.status == 200
    assert "Correction: Only orders fail." in json.loads(said.body)["external"]
    assert site.incidents.updates(INCIDENT_ID)[-1].published


@pytest.mark.parametrize("text", ["prod-db-01 is down", "ask ada@example.com", "10.1.2.3 is down"])
def test_what_leaks_is_not_published(site: Website, text: str) -> None:
    before = site.incidents.updates(INCIDENT_ID)
    assert api(site).correct(body(external=text), INCIDENT_ID).status == 422
    assert site.incidents.updates(INCIDENT_ID) == before


@pytest.mark.parametrize("text", ["", " \n ", "x" * 2001])
def test_a_correction_needs_a_text(site: Website, text: str) -> None:
    assert api(site).correct(body(external=text), INCIDENT_ID).status == 400


@pytest.mark.parametrize("name", ["INC-20261122-00000", "nonsense", "../x"])
def test_of_an_unknown_incident_nothing_is_told(site: Website, name: str) -> None:
    assert api(site).correct(body(external="Sorry."), name).status == 404
    assert api(site).acknowledged(body(), name).status == 404


@pytest.mark.parametrize("text", ["[" * 5000, "{", "null", "\x00", "a" * 30_000])
def test_a_hostile_body_does_no_harm(site: Website, text: str) -> None:
    assert api(site).correct(Request(headers=BEARER, body=text), INCIDENT_ID).status == 400
