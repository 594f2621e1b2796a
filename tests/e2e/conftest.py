"""One squad with practice targets for the session; tests that break the stack start their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.config import LocalConfig
from infra.local.practice import Practice
from infra.local.stack import LocalStack
from tests.e2e.site import Site


@pytest.fixture(scope="session")
def practice() -> Iterator[Practice]:
    with Practice() as practice:
        yield practice


@pytest.fixture(scope="session")
def running_site(practice: Practice) -> Iterator[Site]:
    with LocalStack.start(config=practice.config()) as stack:
        yield Site(stack, practice)


@pytest.fixture
def site(running_site: Site) -> Site:
    running_site.break_the_pool()
    return running_site


def config_with(practice: Practice, **policies: object) -> LocalConfig:
    """The practice configuration with other policies."""
    given = practice.config()
    return given.model_copy(update={"catalog": {**given.catalog, "policies": policies}})


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A data folder."""
    return tmp_path / "data"
