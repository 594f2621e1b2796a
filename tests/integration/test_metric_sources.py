"""Prometheus, Datadog and PagerDuty behind real HTTP, well-behaved and not."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from pydantic import BaseModel

from incident_squad.adapters.memory import FixedClock, MemoryKnowledge, MemorySecrets
from incident_squad.adapters.metrics.telemetry import CatalogTelemetry
from incident_squad.adapters.metrics.wire import Source, Wire
from incident_squad.adapters.probers import CatalogProbers
from incident_squad.agents.specialist import answered
from incident_squad.domain.errors import TargetUnavailable
from incident_squad.domain.evidence import Evidence, EvidenceStatus, Verdict
from incident_squad.domain.metric import MetricQuery, MetricResult, MetricStatus, TimeRange
from incident_squad.domain.runbook import MetricProbe, Probe
from infra.local.drill.certificate import TlsService
from infra.local.postgres import free_port
from tests.builders import NOW, a_catalog, a_runbook
from tests.integration import vendors
from tests.integration.vendors import Vendor

pytestmark = pytest.mark.timeout(60)

SECRETS = {
    "metrics/prometheus": f"{vendors.PROMETHEUS_TOKEN}\n",
    "metrics/dd-api": vendors.API_KEY,
    "metrics/dd-app": vendors.APP_KEY,
    "metrics/pagerduty": vendors.PAGERDUTY_KEY,
}
QUERIES = {
    "prometheus": "up",
    "datadog": "avg:system.cpu.user{service:api}",
    "pagerduty": "incidents status=triggered service=PABC123",
}
SOURCES = tuple(QUERIES)
HOUR = TimeRange(start=NOW - timedelta(hours=1), end=NOW)


class Anything(BaseModel):
    """Any JSON object."""


def sources(url: str) -> dict[str, Any]:
    return {
        "prometheus": {"url": url, "secret": "metrics/prometheus"},
        "datadog": {"base_url": url, "api_key": "metrics/dd-api", "app_key": "metrics/dd-app"},
        "pagerduty": {
            "base_url": url,
            "secret": "metrics/pagerduty",
            "services": {"orders": "PABC123"},
        },
    }


def telemetry(url: str, secrets: Mapping[str, str] = SECRETS) -> CatalogTelemetry:
    knowledge = MemoryKnowledge(a_catalog(metrics=sources(url)), {})
    return CatalogTelemetry(knowledge, MemorySecrets(dict(secrets)), FixedClock(NOW))


@pytest.fixture(scope="module")
def all_vendors() -> Iterator[Mapping[str, Vendor]]:
    with (
        vendors.serve(vendors.prometheus) as prometheus,
        vendors.serve(vendors.datadog) as datadog,
        vendors.serve(vendors.pagerduty) as pagerduty,
    ):
        yield {"prometheus": prometheus, "datadog": datadog, "pagerduty": pagerduty}


@pytest.fixture
def vendor(all_vendors: Mapping[str, Vendor]) -> Iterator[Mapping[str, Vendor]]:
    for one in all_vendors.values():
        one.asked.clear()
    yield all_vendors
    for one in all_vendors.values():
        one.misbehave = None


def ask(vendor: Mapping[str, Vendor], source: Any, query: str = "", **more: Any) -> MetricResult:
    question = MetricQuery(
        source=source, query=query or QUERIES[source], **{"time_range": HOUR, **more}
    )
    return telemetry(vendor[source].url).query(question)


def test_prometheus_answers_a_range_in_bounded_steps(vendor: Mapping[str, Vendor]) -> None:
    found = ask(vendor, "prometheus", aggregation="max")
    assert (found.status, found.value, found.point_count) == (MetricStatus.OK, 120.0, 120)
    assert found.series[0].name == 'up{job="a"}'
    assert found.series[0].points[-1].value == 120.0
    assert len(found.series[0].points) <= 40
    assert vendor["prometheus"].asked[0].params["step"] == ["30s"]
    assert found.link is not None
    assert found.link.startswith(f"{vendor['prometheus'].url}/graph?g0.expr=up&")


def test_the_newest_value_is_an_instant_query(vendor: Mapping[str, Vendor]) -> None:
    found = ask(vendor, "prometheus", latest=True)
    assert (found.value, found.point_count) == (0.5, 1)
    assert vendor["prometheus"].asked[0].path == "/api/v1/query"


def test_datadog_gives_its_unit_and_drops_holes(vendor: Mapping[str, Vendor]) -> None:
    found = ask(vendor, "datadog")
    assert (found.value, found.unit, found.point_count) == (20.0, "percent", 2)
    assert found.series[0].name == "system.cpu.user{service:api}"
    assert found.link is not None
    assert "app.datadoghq.com/metric/explorer" in found.link


def test_pagerduty_counts_what_it_lists(vendor: Mapping[str, Vendor]) -> None:
    found = ask(vendor, "pagerduty")
    assert (found.value, found.aggregation, found.unit) == (2.0, "count", "incidents")
    assert found.rows[0]["title"] == "Payments fail"
    assert found.rows[0]["service"] == "Payments"
    params = vendor["pagerduty"].asked[0].params
    assert params["statuses[]"] == ["triggered"]
    assert params["service_ids[]"] == ["PABC123"]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("log_entries incident=PINC123", "/incidents/PINC123/log_entries"),
        ("log_entries", "/log_entries"),
        ("oncalls schedule=PSCHED1", "/oncalls"),
    ],
)
def test_pagerduty_reads_what_the_query_names(
    vendor: Mapping[str, Vendor], query: str, path: str
) -> None:
    assert ask(vendor, "pagerduty", query).value == 2.0
    assert vendor["pagerduty"].asked[0].path == path


def test_pagerduty_analytics_give_a_value_a_day(vendor: Mapping[str, Vendor]) -> None:
    week = TimeRange(start=NOW - timedelta(days=7), end=NOW)
    query = "analytics metric=mean_seconds_to_resolve service=PABC123 urgency=high"
    found = ask(vendor, "pagerduty", query, time_range=week)
    assert (found.value, found.unit, found.point_count) == (200.0, "second", 2)
    asked = vendor["pagerduty"].asked[0]
    assert asked.method == "POST"
    assert asked.body["aggregate_unit"] == "day"
    assert asked.body["filters"]["service_ids"] == ["PABC123"]


def test_analytics_without_the_metric_name_those_that_there_are(
    vendor: Mapping[str, Vendor],
) -> None:
    found = ask(vendor, "pagerduty", "analytics metric=nonsense")
    assert found.status is MetricStatus.ERROR
    assert "mean_seconds_to_resolve" in found.message


@pytest.mark.parametrize(
    ("source", "query", "said"),
    [
        ("prometheus", "sum(up", "unclosed left parenthesis"),
        ("datadog", "system.cpu.user", "unable to parse"),
        ("pagerduty", "incidents colour=red", "is not a filter of incidents"),
        ("pagerduty", "DROP TABLE", "begins with one of"),
    ],
)
def test_a_wrong_query_says_what_to_mend(
    vendor: Mapping[str, Vendor], source: str, query: str, said: str
) -> None:
    found = ask(vendor, source, query)
    assert found.status is MetricStatus.ERROR
    assert said in found.message
    assert found.value is None


@pytest.mark.parametrize("source", SOURCES)
def test_wrong_credentials_are_denied_and_not_shown(
    vendor: Mapping[str, Vendor], source: Any
) -> None:
    wrong = dict.fromkeys(SECRETS, "stolen-key-1234")
    question = MetricQuery(source=source, query=QUERIES[source], time_range=HOUR)
    found = telemetry(vendor[source].url, wrong).query(question)
    assert found.status is MetricStatus.DENIED
    assert "stolen" not in found.message


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("secrets", [{}, dict.fromkeys(SECRETS, "a\r\nX-Evil")])
def test_a_missing_or_broken_secret_is_not_configured(
    vendor: Mapping[str, Vendor], source: Any, secrets: dict[str, str]
) -> None:
    question = MetricQuery(source=source, query=QUERIES[source], time_range=HOUR)
    found = telemetry(vendor[source].url, secrets).query(question)
    assert found.status is MetricStatus.NOT_CONFIGURED
    assert not vendor[source].asked


BAD: Mapping[str, Callable[[BaseHTTPRequestHandler], None]] = {
    "an error of the server": vendors.saying(500, {"errors": ["boom"]}),
    "no JSON": vendors.saying(200, b"<html>login</html>"),
    "another shape": vendors.saying(200, {"hello": "world"}),
    "a wrong type": vendors.saying(200, {"status": "success", "data": 7, "series": 7}),
    "deep nesting": vendors.saying(200, b"[" * 100_000),
    "half an answer": vendors.raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "nonsense": vendors.raw(b"\x00\x01SSH-2.0\r\n"),
    "a redirect": vendors.saying(302, b"", {"Location": "http://127.0.0.1:1/"}),
    "too busy for us": vendors.saying(429, b"", {"Retry-After": "60"}),
    "too much": vendors.huge,
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("bad", BAD)
def test_a_source_that_misbehaves_is_an_error_with_words(
    vendor: Mapping[str, Vendor], source: str, bad: str
) -> None:
    vendor[source].misbehave = BAD[bad]
    found = ask(vendor, source)
    assert found.status is MetricStatus.ERROR
    assert found.message.lower().startswith(source)
    assert len(vendor[source].asked) == 1


@pytest.mark.parametrize("bad", [vendors.hang, vendors.trickle, vendors.trickle_headers])
def test_a_source_that_keeps_us_waiting_is_cut_off(
    vendor: Mapping[str, Vendor], bad: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    vendor["prometheus"].misbehave = bad
    source = Source("Prometheus", vendor["prometheus"].url, {})
    start = time.monotonic()
    with pytest.raises(TargetUnavailable, match="did not answer in time"):
        Wire(source, FixedClock(NOW), seconds=0.4).read("/api/v1/query", [], Anything)
    assert time.monotonic() - start < 1


def test_nothing_that_listens_is_an_error_at_once() -> None:
    question = MetricQuery(source="prometheus", query="up", time_range=HOUR)
    found = telemetry(f"http://127.0.0.1:{free_port()}").query(question)
    assert (found.status, "nothing listens" in found.message) == (MetricStatus.ERROR, True)


def test_a_short_pause_that_a_source_asks_for_is_granted_once(
    vendor: Mapping[str, Vendor],
) -> None:
    one = vendor["datadog"]

    def busy(handler: BaseHTTPRequestHandler) -> None:
        one.misbehave = None
        vendors.send(handler, 429, {"errors": ["Too many"]}, {"X-RateLimit-Reset": "1"})

    one.misbehave = busy
    assert ask(vendor, "datadog").value == 20.0
    assert len(one.asked) == 2


@pytest.mark.parametrize("source", SOURCES)
def test_only_reads_are_ever_sent(vendor: Mapping[str, Vendor], source: str) -> None:
    for query in (QUERIES[source], "analytics metric=mean_seconds_to_resolve", "x{} /../admin?a=b"):
        ask(vendor, source, query)
    sent = {(one.method, one.path) for one in vendor[source].asked}
    assert sent <= {
        ("GET", "/api/v1/query_range"),
        ("GET", "/api/v1/query"),
        ("GET", "/incidents"),
        ("POST", "/analytics/metrics/incidents/all"),
    }


def test_deployments_are_told_by_the_sources_that_know_them(
    vendor: Mapping[str, Vendor],
) -> None:
    config = sources(vendor["datadog"].url)
    config["pagerduty"]["base_url"] = vendor["pagerduty"].url
    knowledge = MemoryKnowledge(a_catalog(metrics=config), {})
    eyes = CatalogTelemetry(knowledge, MemorySecrets(SECRETS), FixedClock(NOW))
    found = {one.source: one for one in eyes.changes("orders", HOUR)}
    assert [change.what for change in found["datadog"].changes] == ["Deployed api v42"]
    assert [change.what for change in found["pagerduty"].changes] == ["Release v42"] * 2
    assert vendor["pagerduty"].asked[0].path == "/services/PABC123/change_events"
    vendor["datadog"].misbehave = BAD["no JSON"]
    assert eyes.changes("orders", HOUR)[0].status is MetricStatus.ERROR


def test_a_source_that_the_catalogue_lacks_is_not_configured() -> None:
    knowledge = MemoryKnowledge(a_catalog(), {})
    eyes = CatalogTelemetry(knowledge, MemorySecrets({}), FixedClock(NOW))
    for source in ("prometheus", "cloudwatch", "datadog", "pagerduty"):
        question = MetricQuery.model_validate(
            {"source": source, "query": "x", "time_range": HOUR.model_dump()}
        )
        assert eyes.query(question).status is MetricStatus.NOT_CONFIGURED
    assert eyes.changes("orders", HOUR) == []


def a_probe(**fields: Any) -> MetricProbe:
    known = {"kind": "metric", "source": "prometheus", "query": 'up{service="{service}"}'}
    return MetricProbe.model_validate({**known, **fields})


def test_a_runbook_s_probe_is_answered_with_a_series_for_the_chart(
    vendor: Mapping[str, Vendor],
) -> None:
    knowledge = MemoryKnowledge(a_catalog(metrics=sources(vendor["prometheus"].url)), {})
    probers = CatalogProbers(knowledge, MemorySecrets(SECRETS), FixedClock(NOW))
    seen = probers.ask(a_probe(aggregation="max", window_minutes=60), "orders", {})
    assert (seen.status, seen.value) == (EvidenceStatus.OK, 120.0)
    assert seen.query == 'up{service="orders"}'
    assert seen.source == "metric:prometheus"
    assert seen.measured is not None
    assert seen.measured.series[0].points
    assert seen.rows[0]["max"] == "120"
    assert vendor["prometheus"].asked[0].params["query"] == ['up{service="orders"}']


EVIL = [
    'orders"} or vector(1) #',
    "orders'; DROP TABLE x; --",
    "{service}",
    "Orders",
    "\u0430pi",
    "",
]


@pytest.mark.parametrize("service", [*EVIL, "unknown", None])
def test_a_service_that_only_an_alert_names_reaches_no_source(
    vendor: Mapping[str, Vendor], service: str | None
) -> None:
    knowledge = MemoryKnowledge(a_catalog(metrics=sources(vendor["prometheus"].url)), {})
    probers = CatalogProbers(knowledge, MemorySecrets(SECRETS), FixedClock(NOW))
    seen = probers.ask(a_probe(), service, {"service": "orders"})
    assert seen.status is EvidenceStatus.NOT_CONFIGURED
    assert not vendor["prometheus"].asked


def test_a_database_that_lets_nobody_in_is_judged_by_its_metrics(
    vendor: Mapping[str, Vendor],
) -> None:
    secrets = {**SECRETS, "r": f"postgresql://nobody@127.0.0.1:{free_port()}/none"}
    knowledge = MemoryKnowledge(a_catalog(metrics=sources(vendor["prometheus"].url)), {})
    probers = CatalogProbers(knowledge, MemorySecrets(secrets), FixedClock(NOW))
    check = a_runbook().checks[0]
    metric = a_probe(aggregation="max", window_minutes=60)
    both = check.model_copy(update={"probes": (*check.probes, metric)})

    def ask(probe: Probe) -> Evidence:
        return probers.ask(probe, "orders", {})

    assert answered(a_runbook(), check, ask).status is EvidenceStatus.ERROR
    seen = answered(a_runbook(), both, ask)
    assert (seen.source, seen.value) == ("metric:prometheus", 120.0)
    assert seen.verdict is Verdict.SUPPORTS
    assert seen.question == check.title


def test_a_wrong_address_is_told_from_a_wrong_query(vendor: Mapping[str, Vendor]) -> None:
    vendor["prometheus"].misbehave = vendors.saying(404, b"404 page not found\n")
    found = ask(vendor, "prometheus")
    assert found.status is MetricStatus.ERROR
    assert "the source's address: 404 page not found" in found.message


def test_a_certificate_that_nobody_vouches_for_is_not_trusted() -> None:
    with TlsService() as server:
        question = MetricQuery(source="prometheus", query="up", time_range=HOUR)
        found = telemetry(server.url).query(question)
    assert (found.status, "certificate" in found.message) == (MetricStatus.ERROR, True)


def test_a_long_list_is_read_in_three_pages_and_said_to_go_on(
    vendor: Mapping[str, Vendor],
) -> None:
    page = {"incidents": [{"id": f"P{n}"} for n in range(100)], "more": True}
    vendor["pagerduty"].misbehave = vendors.saying(200, page)
    found = ask(vendor, "pagerduty")
    assert (found.value, len(found.rows)) == (300.0, 20)
    assert "there are more" in found.message
    assert [one.params["offset"][0] for one in vendor["pagerduty"].asked] == ["0", "100", "200"]
