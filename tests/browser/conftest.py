"""A real Chromium of Debian's package, and a website to look at."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.components import need
from tests.website import Website, a_website, serve


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.real)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a file: while Playwright lives, its event loop runs in this thread,
    and nothing else can start one.
    """
    program = need("chromium")
    with sync_playwright() as playwright:
        # The sandbox needs privileges that a container does not have.
        running = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield running
        running.close()


@pytest.fixture
def site() -> Website:
    return a_website()


@pytest.fixture
def address(site: Website) -> Iterator[str]:
    with serve(site) as address:
        yield address


@pytest.fixture(params=[(1200, "light"), (390, "dark"), (390, "light"), (1200, "dark")])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page on a desktop and on a phone, in light and dark."""
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    yield context.new_page()
    context.close()
