"""One game day for the session: an estate on real components and the squad that watches it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.drill.estate import Layout
from infra.local.drill.gameday import GameDay
from tests.components import need

PACKAGES = (
    "postgresql-15",
    "pgbouncer",
    "prometheus",
    "prometheus-alertmanager",
    "prometheus-blackbox-exporter",
    "prometheus-postgres-exporter",
)

# Other names and sizes than those of the catalogue, and no slot left for ordinary users.
LAYOUT = Layout(
    service="booking-core",
    tls_service="booking-edge",
    max_connections=28,
    app_limit=-1,
    replicate=True,
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.real)
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def game_day() -> Iterator[GameDay]:
    for package in PACKAGES:
        need(package)
    with GameDay(LAYOUT, say=lambda _: None) as day:
        yield day
