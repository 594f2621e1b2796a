"""Incidents over HTTP: who may read, what they get, and that bad input stays their problem."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.update import UpdateState
from incident_squad.pages.web import Answer, Request
from tests.builders import INCIDENT_ID, NOW, a_triage, an_alert, an_incident, later
from tests.fakes import FixedClock
from tests.website import TOKEN, Website, a_website

BEARER = {"authorization": f"Bearer {TOKEN}"}
PAGE = {"accept": "text/html,application/xhtml+xml"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"


@pytest.fixture(scope="module")
def site() -> Website:
    return a_website()


def get(site: Website, path: str, headers: dict[str, str] | None = None, /, **query: str) -> Answer:
    given = BEARER if headers is None else headers
    return site.answer("GET", path, Request(query=query, headers=given))


def content(answer: Answer) -> Any:
    return json.loads(answer.body)


@pytest.mark.parametrize("path", ["", "/timeline", "/report", "/postmortem", "/events"])
def test_without_token_or_link_nothing_is_told(site: Website, path: str) -> None:
    for incident_id in (INCIDENT_ID, "INC-20261122-00000", "nonsense"):
        answer = get(site, f"/incidents/{incident_id}{path}", {})
        assert answer.status == 401
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", "\udcff", "an older"])
def test_a_wrong_token_is_refused(site: Website, token: str) -> None:
    assert get(site, "/incidents", {"authorization": f"Bearer {token}"}).status == 401


def test_two_tokens_are_valid_while_they_rotate(site: Website) -> None:
    assert get(site, "/incidents", {"authorization": "Bearer an older token"}).status == 200


def test_a_view_link_opens_its_incident_only(site: Website) -> None:
    mine = site.links.token(INCIDENT_ID)
    assert get(site, f"/incidents/{INCIDENT_ID}", {}, view=mine).status == 200
    assert get(site, "/incidents/INC-20261122-00000", {}, view=mine).status == 401
    assert get(site, "/incidents", {}, view=mine).status == 401
    assert get(site, "/incidents", {}, view=site.links.token("*")).status == 200


def test_a_view_link_expires_and_cannot_be_bent(site: Website) -> None:
    token = site.links.token(INCIDENT_ID)
    expires, mac = token.split("~")
    for bent in (f"{int(expires) + 1}~{mac}", f"{expires}~{mac[:-2]}AA", "~", "", expires):
        assert get(site, f"/incidents/{INCIDENT_ID}", {}, view=bent).status == 401
    late = a_website()
    old = late.links.token(INCIDENT_ID)
    late.clock.moment = later(days=8)
    assert get(late, f"/incidents/{INCIDENT_ID}", {}, view=old).status == 401


def test_the_list_is_filtered_and_says_where_it_goes_on(site: Website) -> None:
    found = content(get(site, "/incidents", severity="sev1", type="database", status="open"))
    assert [item["incidentId"] for item in found["incidents"]] == [INCIDENT_ID]
    assert found["next"] is None
    assert content(get(site, "/incidents", status="resolved"))["incidents"] == []
    within = {"from": "2026-11-22", "to": "2026-11-22T23:00:00Z"}
    assert len(content(get(site, "/incidents", **within))["incidents"]) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "broken"),
        ("severity", "SEV9"),
        ("type", "x"),
        ("from", "yesterday"),
        ("limit", "1000"),
        ("limit", "many"),
        ("next", "not a cursor"),
    ],
)
def test_a_wrong_filter_is_named(site: Website, name: str, value: str) -> None:
    answer = get(site, "/incidents", **{name: value})
    assert answer.status == 400
    assert content(answer)["status"] == 400


@given(st.dictionaries(st.sampled_from(["status", "from", "limit", "next", "view"]), st.text()))
def test_no_query_breaks_the_list(query: dict[str, str]) -> None:
    assert get(a_website(), "/incidents", **query).status in {200, 400}


@pytest.mark.parametrize("incident_id", ["INC-20261122-00000", "x", "..", "INC-1", "%00", "é"])
def test_an_unknown_incident_is_not_found(site: Website, incident_id: str) -> None:
    assert get(site, f"/incidents/{incident_id}").status == 404
    assert get(site, f"/incidents/{incident_id}/report").status == 404


def test_an_incident_comes_with_everything_beside_it(site: Website) -> None:
    shown = content(get(site, f"/incidents/{INCIDENT_ID}"))
    assert shown["incidentId"] == INCIDENT_ID
    assert shown["diagnosis"]["conclusive"] is True
    assert len(shown["plan"]["steps"]) == 3
    assert shown["updates"][0]["state"] == "Investigating"


def test_the_timeline_says_whether_its_chain_is_sound() -> None:
    site = a_website()
    assert content(get(site, f"/incidents/{INCIDENT_ID}/timeline"))["sound"] is True
    events = site.timeline.events[INCIDENT_ID]
    events[0] = events[0].model_copy(update={"summary": "Nothing happened"})
    shown = content(get(site, f"/incidents/{INCIDENT_ID}/timeline"))
    assert shown["sound"] is False
    assert "event 1 was changed" in shown["problems"][0]


def test_there_is_no_report_before_triage() -> None:
    site = Website()
    site.incidents.open(an_incident(), an_alert(), later(days=1))
    assert get(site, f"/incidents/{INCIDENT_ID}/report").status == 409
    assert get(site, f"/incidents/{INCIDENT_ID}/postmortem").status == 200
    assert get(site, f"/incidents/{INCIDENT_ID}", {**BEARER, **PAGE}).status == 200


def test_events_resume_where_the_browser_left_off(site: Website) -> None:
    stream = get(site, f"/incidents/{INCIDENT_ID}/events")
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    assert stream.body.startswith("retry: 100\n\n")
    numbers = [int(n) for n in re.findall(r"^id: (\d+)$", stream.body, re.MULTILINE)]
    last = numbers[-1]
    assert sorted(set(numbers)) == list(range(1, last + 1))
    resumed = get(
        site, f"/incidents/{INCIDENT_ID}/events", {**BEARER, "last-event-id": str(last - 1)}
    )
    assert f"id: {last - 1}\n" not in resumed.body
    assert f"id: {last}\n" in resumed.body
    nothing = get(site, f"/incidents/{INCIDENT_ID}/events", after=str(last))
    assert nothing.body.endswith(": still here\n\n")
    assert "event: update" in stream.body


def test_a_browser_is_told_when_nothing_more_will_come() -> None:
    site = a_website()
    site.incidents.change(INCIDENT_ID, status=IncidentStatus.RESOLVED)
    assert get(site, f"/incidents/{INCIDENT_ID}/events", after="999").status == 204


def test_a_hostile_value_forges_no_event() -> None:
    site = a_website("x\n\nid: 99\nevent: timeline\ndata: {}")
    site.note(INCIDENT_ID, "Observed", "y\n\nid: 99\ndata: forged", "database")
    stream = get(site, f"/incidents/{INCIDENT_ID}/events").body
    assert "\nid: 99" not in stream


def test_customers_see_published_texts_and_public_names_only(site: Website) -> None:
    for headers in ({}, PAGE):
        body = get(site, "/status", headers).body
        assert "Orders" in body
        assert "shortage of capacity" in body
        for private in (INCIDENT_ID, "prod-db-01", "500/500", "Ledger", "SEV1", "PostgreSQL"):
            assert private not in body


def test_customers_do_not_see_what_does_not_concern_them() -> None:
    site = a_website()
    site.incidents.change(INCIDENT_ID, triage=a_triage(noise=True))
    assert content(get(site, "/status", {}))["incidents"] == []
    assert "All services are running" in get(site, "/status", PAGE).body


@pytest.mark.parametrize("path", ["", "/postmortem"])
def test_pages_run_nothing_that_an_alert_says(path: str) -> None:
    site = a_website(HOSTILE)
    site.note(INCIDENT_ID, "Observed", HOSTILE, HOSTILE)
    answer = get(site, f"/incidents/{INCIDENT_ID}{path}", {**BEARER, **PAGE})
    assert answer.status == 200
    assert "<script>alert" not in answer.body
    assert "<img" not in answer.body
    assert "{{7*7}}" in answer.body.replace("\\", "")


def test_every_page_allows_nothing_from_elsewhere(site: Website) -> None:
    for path in ("/status", "/incidents", f"/incidents/{INCIDENT_ID}", "/approvals/x"):
        answer = get(site, path, {**BEARER, **PAGE})
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", answer.body)
        assert len(answer.body) < 40_000


def test_the_list_keeps_filters_and_link_from_page_to_page(site: Website) -> None:
    view = site.links.token("*")
    body = get(site, "/incidents", PAGE, view=view, severity="SEV1").body
    assert f'href="incidents/{INCIDENT_ID}?view={view.replace("~", "~")}' in body.replace(
        "%7E", "~"
    )
    assert '<option value="SEV1" selected>' in body


def test_a_resolved_incident_moves_to_the_past() -> None:
    site = a_website()
    site.publish(INCIDENT_ID, UpdateState.RESOLVED)
    site.incidents.change(INCIDENT_ID, status=IncidentStatus.RESOLVED)
    shown = content(get(site, "/status", {}))
    assert shown["services"][0] == {"name": "Orders", "status": "running"}
    assert shown["incidents"][0]["open"] is False


def test_the_function_says_that_it_runs(site: Website) -> None:
    assert content(get(site, "/health", {})) == {"status": "ok"}


def test_who_waits_for_events_is_told_the_first_one_at_once() -> None:
    site = a_website()
    last = site.timeline.read(INCIDENT_ID)[-1].n
    waited: list[float] = []

    class Waiting(FixedClock):
        """Somebody writes an event while the second look is waited for."""

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            waited.append(seconds)
            if len(waited) == 2:
                site.note(INCIDENT_ID, "Observed", "seen", "database")

    read = replace(site.read, clock=Waiting(NOW))
    assert f"id: {last + 1}" in str(read.events(INCIDENT_ID, last))
    assert sum(waited) < 1


def test_who_waits_in_vain_is_answered_before_the_gateway_gives_up() -> None:
    site = a_website()
    last = site.timeline.read(INCIDENT_ID)[-1].n
    assert str(site.read.events(INCIDENT_ID, last)).endswith(": still here\n\n")
    assert 19 < site.clock.slept < 21
    get(site, f"/incidents/{INCIDENT_ID}/events", after=str(last), wait="0")
    assert site.clock.slept < 21


def test_the_end_of_an_incident_ends_the_waiting() -> None:
    site = a_website()
    last = site.timeline.read(INCIDENT_ID)[-1].n
    site.incidents.change(INCIDENT_ID, status=IncidentStatus.RESOLVED)
    assert site.read.events(INCIDENT_ID, last) is None
    assert site.clock.slept == 0
