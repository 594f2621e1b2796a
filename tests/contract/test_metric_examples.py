"""What the documentation shows of metric sources works as it stands."""

import re
from typing import Any

import pytest
import yaml

from incident_squad.adapters.runbook_files import merged
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.metric import MetricQuery
from incident_squad.domain.runbook import MetricProbe
from incident_squad.policy.metric_query import metric_problems
from infra.local.config import REPOSITORY, LocalConfig
from tests.builders import NOW, later

RUNBOOKS = REPOSITORY / "runbooks"
EXAMPLE = RUNBOOKS / "examples" / "metric-sources.yaml"
ROW = re.compile(
    r"^\| `(prometheus|datadog|cloudwatch|pagerduty)` \| (.+?) \| [^|]+ \|$", re.MULTILINE
)


def queries() -> list[tuple[str, str]]:
    rows = ROW.findall((RUNBOOKS / "README.md").read_text())
    return [(source, query) for source, cell in rows for query in re.findall(r"`([^`]+)`", cell)]


def test_the_example_configures_every_source_with_its_secrets() -> None:
    config = LocalConfig.read(EXAMPLE)
    shipped = yaml.safe_load((RUNBOOKS / "catalog.yaml").read_text())
    metrics = Catalog.model_validate(merged(shipped, config.catalog)).metrics
    for source in ("prometheus", "cloudwatch", "datadog", "pagerduty"):
        assert getattr(metrics, source) is not None
    assert set(metrics.secrets) == set(config.secrets)


def test_every_source_has_a_documented_query() -> None:
    assert {source for source, _ in queries()} == {
        "prometheus",
        "cloudwatch",
        "datadog",
        "pagerduty",
    }


@pytest.mark.parametrize(("source", "query"), queries())
def test_a_documented_query_can_be_asked(source: Any, query: str) -> None:
    probe = MetricProbe(kind="metric", source=source, query=query)
    assert list(metric_problems(probe)) == []
    span = {"start": NOW, "end": later(minutes=15)}
    MetricQuery.model_validate({"source": source, "query": query, "time_range": span})


@pytest.mark.parametrize(
    "wrong",
    [
        {"prometheus": {"url": "http://user:secret@prometheus"}},
        {"prometheus": {"url": "http://prometheus/?x=y"}},
        {"prometheus": {"url": "file:///etc/passwd"}},
        {"prometheus": {"url": "http://prometheus", "secret": "targets/payments-db-writer"}},
        {"datadog": {"api_key": "metrics/a"}},
        {"datadog": {"site": "evil.com/x", "api_key": "metrics/a", "app_key": "metrics/b"}},
        {"cloudwatch": {"region": "eu-west-1.evil.com"}},
        {"pagerduty": {"secret": "metrics/a", "services": {"orders": "../users"}}},
        {"graphite": {}},
    ],
)
def test_a_source_that_reaches_elsewhere_is_refused(wrong: dict[str, Any]) -> None:
    shipped = yaml.safe_load((RUNBOOKS / "catalog.yaml").read_text())
    with pytest.raises(ValueError, match="metrics"):
        Catalog.model_validate({**shipped, "metrics": wrong})
