"""The example configuration loads, shows every kind and source, and lacks no secret."""

from pathlib import Path

import pytest

from incident_squad.domain.catalog import Catalog
from incident_squad.domain.metric_sources import MetricSources
from infra.local.config import LocalConfig
from infra.local.knowledge import knowledge_of

EXAMPLE = Path(__file__).resolve().parents[2] / "runbooks/examples/config.yaml"
# SSM documents are anybody's own: there is no example that would fit.
KINDS = {"postgresql", "pgbouncer", "http", "aws", "k8s", "command"}


@pytest.fixture(scope="module")
def config() -> LocalConfig:
    return LocalConfig.read(EXAMPLE)


@pytest.fixture(scope="module")
def catalog(config: LocalConfig) -> Catalog:
    return knowledge_of(config).catalog


def test_its_targets_are_of_every_kind(catalog: Catalog) -> None:
    targets = catalog.services["booking"].targets.values()
    assert {catalog.targets[name].kind for name in targets} == KINDS


def test_its_service_plays_every_role_that_the_examples_play(catalog: Catalog) -> None:
    roles = {role for service in catalog.services.values() for role in service.targets}
    assert set(catalog.services["booking"].targets) == roles


def test_every_metric_source_is_shown(catalog: Catalog) -> None:
    shown = {name for name in MetricSources.model_fields if getattr(catalog.metrics, name)}
    assert shown == set(MetricSources.model_fields)


def test_every_secret_that_its_targets_name_is_there(config: LocalConfig, catalog: Catalog) -> None:
    own = [catalog.targets[name] for name in config.catalog["targets"]]
    named = {secret for target in own for secret in (target.reader, target.writer) if secret}
    assert named | set(catalog.metrics.secrets) <= set(config.secrets)
