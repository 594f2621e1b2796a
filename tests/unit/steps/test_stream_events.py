"""An incident's events in one long answer: resumed, never silent for long, and ended."""

from datetime import timedelta

from incident_squad.domain.incident import IncidentStatus
from incident_squad.pages.web import Answer, Request
from incident_squad.steps.stream_events import Opened, StreamEvents
from tests.builders import INCIDENT_ID
from tests.website import TOKEN, Website, a_website

BEARER = {"authorization": f"Bearer {TOKEN}"}


def opened(site: Website, request: Request | None = None) -> Opened:
    found = StreamEvents(site.api, site.read, site.clock)(
        request or Request(headers=BEARER), INCIDENT_ID
    )
    assert isinstance(found, Opened)
    return found


def test_it_begins_with_all_that_is_known_and_goes_on_with_what_comes() -> None:
    site = a_website()
    parts = opened(site).parts
    assert "id: 1\n" in next(parts)
    site.note(INCIDENT_ID, "StepApplied", "Applied: step 1", "remediator")
    fresh = next(parts)
    assert fresh.count("event: timeline") == 1
    assert "Applied: step 1" in fresh


def test_it_resumes_after_the_last_event_that_was_seen() -> None:
    site = a_website()
    last = site.timeline.read(INCIDENT_ID)[-1].n
    for request in (
        Request(headers={**BEARER, "last-event-id": str(last)}),
        Request(headers=BEARER, query={"after": str(last)}),
    ):
        parts = opened(site, request).parts
        assert "event: timeline" not in next(parts)
        before = site.clock.now()
        assert next(parts).endswith(": still here\n\n")
        assert timedelta(seconds=14) < site.clock.now() - before < timedelta(seconds=16)


def test_it_ends_in_time_for_the_function_to_end_by_itself() -> None:
    site = a_website()
    began = site.clock.now()
    assert len(list(opened(site).parts)) > 10
    assert site.clock.now() - began < timedelta(minutes=14, seconds=30)


def test_it_ends_when_the_incident_does_and_says_so_to_whoever_asks_again() -> None:
    site = a_website()
    parts = opened(site).parts
    next(parts)
    site.incidents.change(INCIDENT_ID, status=IncidentStatus.RESOLVED)
    assert list(parts) == []
    seen = {**BEARER, "last-event-id": str(site.timeline.read(INCIDENT_ID)[-1].n)}
    over = StreamEvents(site.api, site.read, site.clock)(Request(headers=seen), INCIDENT_ID)
    assert isinstance(over, Answer)
    assert over.status == 204


def test_who_may_not_read_gets_no_stream() -> None:
    site = a_website()
    streams = StreamEvents(site.api, site.read, site.clock)
    refused = [streams(Request(), INCIDENT_ID), streams(Request(headers=BEARER), "INC-1")]
    assert [answer.status for answer in refused if isinstance(answer, Answer)] == [401, 404]
