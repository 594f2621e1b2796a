"""The pages in a real browser: readable by everybody, and they decide what they say."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from incident_squad.domain.approval import ApprovalStatus
from incident_squad.domain.incident import IncidentStatus
from incident_squad.domain.timeline import Actor, Entry
from tests.builders import INCIDENT_ID
from tests.website import RunningClock, Website, a_website, serve

READABLE = (Path(__file__).parent / "readable.js").read_text(encoding="utf-8")


def paths(site: Website) -> list[str]:
    view = site.links.token("*")
    return [
        f"/approvals/{site.link()}",
        f"/publications/{site.text_link()}",
        "/approvals/nonsense",
        f"/incidents/{INCIDENT_ID}?view={view}",
        f"/incidents/{INCIDENT_ID}/postmortem?view={view}",
        f"/incidents?view={view}",
        "/incidents",
        "/status",
    ]


def standing(site: Website) -> ApprovalStatus:
    return site.approvals.of_incident(INCIDENT_ID)[0].status


def test_every_page_is_readable_by_everybody(
    site: Website, address: str, page: Page, tmp_path: Path
) -> None:
    for number, path in enumerate(paths(site)):
        page.goto(address + path)
        page.screenshot(path=tmp_path / f"{number}.png", full_page=True)
        assert page.evaluate(READABLE) == [], path


def test_no_page_asks_anybody_else_or_breaks_its_own_rules(
    site: Website, address: str, page: Page
) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    for path in paths(site):
        page.goto(address + path)
    assert all(url.startswith(address) for url in asked)
    assert [text for text in said if "Failed to load" not in text] == []


@pytest.mark.parametrize(
    ("button", "status"),
    [("Approve and run 2 steps", ApprovalStatus.APPROVED), ("Reject", ApprovalStatus.REJECTED)],
)
@pytest.mark.parametrize("scripts", [True, False])
def test_a_tap_on_a_phone_decides(
    site: Website,
    address: str,
    browser: Browser,
    *,
    button: str,
    status: ApprovalStatus,
    scripts: bool,
) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, java_script_enabled=scripts, has_touch=True
    )
    page = context.new_page()
    page.goto(f"{address}/approvals/{site.link()}")
    page.get_by_label("Comment (optional)").fill("seen on my phone")
    page.get_by_role("button", name=button).tap()
    expect(page.get_by_role("heading", level=1)).to_contain_text(status.value.capitalize())
    expect(page.get_by_text("seen on my phone")).to_be_visible()
    assert standing(site) is status
    context.close()


def test_the_keyboard_alone_decides(site: Website, address: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{address}/approvals/{site.link()}")
    names = []
    for _ in range(12):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.textContent.trim()"))
        if names[-1] == "Reject":
            break
    assert "Skip to the content" in names
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Rejected")
    assert standing(site) is ApprovalStatus.REJECTED
    page.close()


def test_an_open_page_shows_what_happens_meanwhile(
    site: Website, address: str, browser: Browser
) -> None:
    page = browser.new_page()
    page.goto(f"{address}/incidents/{INCIDENT_ID}?view={site.links.token(INCIDENT_ID)}")
    page.get_by_text("Investigating, 11:56 UTC").click()
    site.note(INCIDENT_ID, "Observed", "A new observation arrived", "database")
    expect(page.get_by_text("A new observation arrived")).to_be_visible(timeout=8000)
    expect(page.locator("#update-1")).to_have_attribute("open", "")
    page.close()


def test_an_open_page_shows_an_event_within_a_second(browser: Browser) -> None:
    site = a_website(clock=RunningClock())
    with serve(site) as address:
        page = browser.new_page()
        page.goto(f"{address}/incidents/{INCIDENT_ID}?view={site.links.token(INCIDENT_ID)}")
        for number in range(3):
            page.wait_for_timeout(700)
            site.note(INCIDENT_ID, "Observed", f"Observation number {number}", "database")
            expect(page.get_by_text(f"Observation number {number}")).to_be_visible(timeout=1000)
        page.close()
        # Nothing more comes, so that no request waits on.
        site.incidents.change(INCIDENT_ID, status=IncidentStatus.RESOLVED)


def test_hostile_titles_do_nothing(browser: Browser) -> None:
    site = a_website("<img src=x onerror=document.title='owned'><script>document.title='owned'")
    with serve(site) as address:
        page = browser.new_page()
        for path in paths(site):
            page.goto(address + path)
            assert page.title() != "owned"
            assert page.locator("img").count() == 0
        page.close()


def test_filters_work_as_a_form(site: Website, address: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{address}/incidents?view={site.links.token('*')}")
    page.get_by_label("Severity").select_option("SEV4")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No incident fits.")).to_be_visible()
    page.get_by_label("Severity").select_option("SEV1")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Connection pool exhausted").click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    page.get_by_role("link", name="Post-mortem draft").click()
    expect(page.get_by_text("# Post-mortem")).to_be_visible()
    page.close()


@pytest.mark.parametrize(
    ("button", "words"),
    [("Publish this text", "Approved."), ("Keep it back", "Kept back.")],
)
def test_a_tap_on_a_phone_decides_what_customers_read(
    site: Website, address: str, browser: Browser, *, button: str, words: str
) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, java_script_enabled=False, has_touch=True
    )
    page = context.new_page()
    link = site.text_link()
    page.goto(f"{address}/status")
    expect(page.get_by_text("Monitoring", exact=True)).to_have_count(0)
    page.goto(f"{address}/publications/{link}")
    page.get_by_label("Comment (optional)").fill("read on my phone")
    page.get_by_role("button", name=button).tap()
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)
    expect(page.get_by_text("read on my phone")).to_be_visible()
    page.goto(f"{address}/status?again")  # the page may be kept for a few seconds
    shown = page.get_by_text("Monitoring", exact=True)
    expect(shown).to_have_count(1 if words == "Approved." else 0)
    context.close()


def test_drafts_appear_while_they_are_written_and_go_when_they_are_done(browser: Browser) -> None:
    site = a_website(clock=RunningClock())
    with serve(site) as address:
        page = browser.new_page()
        page.goto(f"{address}/incidents/{INCIDENT_ID}?view={site.links.token(INCIDENT_ID)}")
        for number, words in enumerate(("We have freed", "We have freed capacity."), start=1):
            draft = {"state": "Monitoring", "number": number, "external": f"[x] y\n\n{words}"}
            entry = Entry(
                event="DraftWritten", summary="A draft", actor=Actor.agent("x"), data=draft
            )
            site.timeline.append(INCIDENT_ID, entry)
            expect(page.get_by_text(words, exact=True)).to_be_visible(timeout=3000)
        site.note(INCIDENT_ID, "UpdateDrafted", "Drafted the update Monitoring", "communicator")
        expect(page.get_by_text("being written")).to_have_count(0, timeout=3000)
        page.close()
        site.incidents.change(INCIDENT_ID, status=IncidentStatus.RESOLVED)


def test_i_am_on_it_is_said_in_the_name_of_whom_the_link_is_for(
    site: Website, address: str, browser: Browser
) -> None:
    site.note(INCIDENT_ID, "OnCallNotified", "Paged ada@example.com", "communicator")
    page = browser.new_page()
    view = site.links.token(INCIDENT_ID, "ada@example.com")
    page.goto(f"{address}/incidents/{INCIDENT_ID}?view={view}")
    expect(page.get_by_text("You are ada@example.com.")).to_be_visible()
    page.get_by_role("button", name="I am on it").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("You are on it")
    page.go_back()
    page.reload()
    expect(page.get_by_text("ada@example.com is on it.", exact=True)).to_be_visible()
    page.close()
