"""A real Prometheus: what the fake one claims must be so."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incident_squad.adapters.memory import MemoryKnowledge, MemorySecrets
from incident_squad.adapters.metrics.telemetry import CatalogTelemetry
from incident_squad.adapters.probers import CatalogProbers
from incident_squad.adapters.system_clock import SystemClock
from incident_squad.domain.metric import MetricQuery, MetricResult, MetricStatus, TimeRange
from incident_squad.domain.runbook import Condition
from infra.local.postgres import free_port
from tests.builders import a_catalog
from tests.components import need

SCRAPES = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - job_name: itself
    static_configs: [{{targets: ["127.0.0.1:{port}"], labels: {{service: orders}}}}]
"""

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = need("prometheus")
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    config = folder / "prometheus.yml"
    config.write_text(SCRAPES.format(port=port))
    command = [
        program,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait_for_samples(address)
            yield address
        finally:
            process.terminate()
            process.wait(10)


def _wait_for_samples(address: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            path = f"{address}/api/v1/query?query=count_over_time(up[1m])>3"
            with urllib.request.urlopen(path, timeout=2) as answer:
                if b'"value"' in answer.read():
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    pytest.fail("Prometheus has no samples after 30 s")


def knowledge(url: str) -> MemoryKnowledge:
    return MemoryKnowledge(a_catalog(metrics={"prometheus": {"url": url}}), {})


def ask(url: str, query: str, **more: Any) -> MetricResult:
    now = datetime.now(UTC)
    question = MetricQuery(
        source="prometheus",
        query=query,
        time_range=TimeRange(start=now - timedelta(minutes=1), end=now),
        **more,
    )
    return CatalogTelemetry(knowledge(url), MemorySecrets({}), SystemClock()).query(question)


@pytest.mark.parametrize("latest", [True, False])
def test_a_metric_is_read(url: str, latest: bool) -> None:
    found = ask(url, 'up{service="orders"}', latest=latest, aggregation="max")
    assert (found.status, found.value) == (MetricStatus.OK, 1.0)
    assert 'service="orders"' in found.series[0].name


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("vector(3)", MetricStatus.OK, ""),
        ("3", MetricStatus.OK, ""),
        ("nothing_of_this_name", MetricStatus.NO_DATA, "no value"),
        ("vector(0) / 0", MetricStatus.NO_DATA, "NaN"),
        ('"text"', MetricStatus.ERROR, "mend it"),
        ("sum(", MetricStatus.ERROR, "unclosed left parenthesis"),
        ("up * on(job) group_left(x y", MetricStatus.ERROR, "parse error"),
        ('{job=~".*"}', MetricStatus.ERROR, "at least one non-empty matcher"),
    ],
)
def test_every_kind_of_answer_is_understood(
    url: str, query: str, status: MetricStatus, said: str
) -> None:
    found = ask(url, query)
    assert found.status is status
    assert said in found.message


def test_a_query_for_everything_stays_in_bounds_or_says_to_group_it(url: str) -> None:
    found = ask(url, '{service="orders"}')
    assert found.status in {MetricStatus.OK, MetricStatus.ERROR}
    assert len(found.series) <= 5
    assert found.status is MetricStatus.OK or "group the query" in found.message


def test_a_recovery_condition_holds_by_a_real_metric_for_a_while(url: str) -> None:
    condition = Condition.model_validate(
        {
            "title": "It is up",
            "probe": {
                "kind": "metric",
                "source": "prometheus",
                "query": 'up{service="{service}"}',
                "window_minutes": 0,
            },
            "expect": {"op": "==", "value": 1},
            "within_seconds": 5,
            "for_seconds": 2,
        }
    )
    probers = CatalogProbers(knowledge(url), MemorySecrets({}), SystemClock())
    start = time.monotonic()
    held, seen = probers.holds(condition, "orders", {})
    assert held
    assert 2 <= time.monotonic() - start < 5
    assert seen.held_since is not None
