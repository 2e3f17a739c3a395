"""The page at the centre in a real browser: counts and findings after each key, every page for all people."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from leukoscope.system.clock import utc_now
from leukoscope_collector.sqlite_store import SqliteSettings
from tests.brokers import free_port
from tests.web.conftest import NAME, PIN, WCAG_22
from tests.web.test_central_reports import sent_by_a_device
from tests.web.test_centre import Centre


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    """A store with what a device sent; no broker is there, so that steps stay on their way."""
    store = SqliteSettings(file=tmp_path / "store.sqlite3").open()
    store.keep(sent_by_a_device(tmp_path), [], utc_now())
    store.close()
    made = Centre(tmp_path, free_port())
    yield made
    made.kill()


@pytest.fixture
def page(browser: Browser, centre: Centre) -> Iterator[Page]:
    """The first administrator on the worklist."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    opened = context.new_page()
    opened.goto(f"http://127.0.0.1:{centre.port}/")
    opened.get_by_label("Code").fill(centre.code)
    opened.get_by_label("Your name").fill(NAME)
    opened.get_by_label("PIN or password").fill(PIN)
    opened.get_by_role("button", name="Make the account").click()
    opened.wait_for_url("**/worklist")
    yield opened
    context.close()


def test_each_key_makes_counts_and_findings_anew_and_every_page_is_accessible(page: Page) -> None:
    found = {"worklist": Axe().run(page, options=WCAG_22)}
    page.get_by_role("link", name="S-17").click()
    expect(page.locator("#findings")).not_to_contain_text("The device makes the findings anew")
    found["report"] = Axe().run(page, options=WCAG_22)
    page.keyboard.press("b")
    row = page.locator("#counts tr", has_text="blast").locator("td")
    expect(row.nth(0)).to_have_text("2")
    expect(row.nth(1)).to_have_text("3")
    expect(page.locator("#findings .changed").first).to_contain_text("14 white cells")
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_contain_text("the device said")
    found["cell"] = Axe().run(page, options=WCAG_22)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Français").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator(".cell:focus")).to_be_visible()
    page.keyboard.press("s")
    page.keyboard.type(PIN)
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_contain_text("en route vers ward-3/scope-1")
    found["on its way"] = Axe().run(page, options=WCAG_22)
    page.get_by_role("link", name="Administration").click()
    found["administration"] = Axe().run(page, options=WCAG_22)
    assert {name: run.generate_report() for name, run in found.items() if run.violations_count} == {}
