"""What the incident's page shows of metrics, messages and money."""

from dataclasses import replace
from datetime import timedelta

from incident_squad.domain.delivery import DeliveryStatus
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.metric import MetricResult, MetricStatus, Point, Series, TimeRange
from incident_squad.domain.timeline import Actor, Entry
from incident_squad.pages.charts import HEIGHT, WIDTH, charts
from incident_squad.pages.status import status_page
from incident_squad.pages.web import Request
from tests.builders import INCIDENT_ID, NOW, a_message, a_runbook
from tests.fakes import MemoryOutbox
from tests.website import TOKEN, Website, a_website

TITLE = "Share of connections in use"


def measured(*values: float) -> Evidence:
    points = tuple(
        Point(at=NOW + timedelta(minutes=place), value=value) for place, value in enumerate(values)
    )
    result = MetricResult(
        source="prometheus",
        query="used",
        aggregation="max",
        status=MetricStatus.OK,
        series=(Series(name="used", points=points),),
        time_range=TimeRange(start=NOW, end=NOW + timedelta(minutes=9)),
        observed_at=NOW,
    )
    return Evidence(
        id="E1",
        source="prometheus",
        query="used",
        question=TITLE,
        runbook_id="pool",
        status=EvidenceStatus.OK,
        value=max(values),
        observed_at=NOW,
        measured=result,
    )


def page(site: Website) -> str:
    headers = {"authorization": f"Bearer {TOKEN}", "accept": "text/html"}
    return site.api.incident(Request(headers=headers), INCIDENT_ID).body


def test_a_line_fills_the_box_and_the_threshold_is_where_it_belongs() -> None:
    site = a_website()
    site.incidents.put_evidence(INCIDENT_ID, measured(0.2, 0.9, 1.0))
    drawn = charts(site.record(INCIDENT_ID), {"pool": a_runbook()})["E1"]
    points = [tuple(map(float, pair.split(","))) for pair in drawn.lines[0].split(" ")]
    assert [x for x, _ in points] == [0, WIDTH / 2, WIDTH]
    assert all(0 <= y <= HEIGHT for _, y in points)
    assert drawn.limit == 0.8
    assert drawn.threshold is not None
    assert points[1][1] < drawn.threshold < points[0][1]


def test_a_flat_line_and_a_single_point_break_nothing() -> None:
    site = a_website()
    site.incidents.put_evidence(INCIDENT_ID, measured(5, 5, 5))
    assert "E1" in charts(site.record(INCIDENT_ID), {})
    site.incidents.put_evidence(INCIDENT_ID, measured(5))
    assert charts(site.record(INCIDENT_ID), {}) == {}


def test_the_page_shows_the_chart_for_those_who_do_not_see_it_too() -> None:
    site = a_website()
    site.incidents.put_evidence(INCIDENT_ID, measured(0.2, 0.9, 1.0))
    shown = page(site)
    assert "<polyline" in shown
    assert 'aria-label="E1: from 0.2 to 1, last 1, threshold 0.8"' in shown
    assert "style=" not in shown.partition("<main")[2]


def test_the_page_says_what_models_cost() -> None:
    site = a_website()
    assert "none asked" in page(site)
    entry = Entry(
        event="Observed", summary="x", actor=Actor.agent("database"), tokens=12_345, cost_usd=0.0123
    )
    site.timeline.append(INCIDENT_ID, entry)
    assert "12,345 tokens, $0.0123" in page(site)


def test_the_page_says_who_was_told_and_which_channel_is_dead() -> None:
    site = a_website()
    box = MemoryOutbox(site.clock)
    for name in ("one", "two"):
        box.put(a_message(id=name), ("topic", "slack"))
    lane = box.lanes()[0]
    for delivery in box.of_incident(INCIDENT_ID):
        if delivery.channel == "slack":
            box.release(lane, delivery.model_copy(update={"error": "<b>Slack refused</b>"}))
        else:
            ended = {"status": DeliveryStatus.DELIVERED}
            box.finish(delivery.model_copy(update=ended), lane)
    site.api = replace(site.api, outbox=box)
    shown = page(site)
    assert "2 delivered" in shown
    assert "2 waiting" in shown
    assert "&lt;b&gt;Slack refused&lt;/b&gt;" in shown


def test_the_button_is_there_while_nobody_is_on_it() -> None:
    site = a_website()
    site.note(INCIDENT_ID, "OnCallNotified", "Paged ada@example.com", "communicator")
    assert "I am on it" in page(site)
    site.note(INCIDENT_ID, "Acknowledged", "ada@example.com is on it", "ada@example.com")
    assert "ada@example.com is on it." in page(site)


def test_customers_read_the_status_page_in_their_language() -> None:
    site = a_website()
    french = site.read.public_status().model_copy(update={"language": "fr"})
    shown = status_page(french, site.clock.now()).body
    assert '<html lang="fr">' in shown
    assert "Identifié" in shown
    assert "Investigating, " not in shown
    assert "Analyse en cours, " in shown
