"""Every page by Tab, arrows and letters; no mouse is touched."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from leukoscope.outbox.store import Outbox
from leukoscope.reviewing.decision import Decision
from leukoscope.reviewing.desk import desk_at
from leukoscope.specimen.lifecycle import Action
from tests.web.conftest import NAME, PIN, WCAG_22, Served
from tests.web.made import make_bench, make_sample

LONG_MS = 120_000
_WORDS = """() => { const at = document.activeElement;
  if (!at.matches("a, button, input, select, summary")) return "";
  return [at.getAttribute("aria-label"), at.labels?.[0]?.textContent, at.textContent].join(" "); }"""
_IS_MARKED = """() => { const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2; }"""


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """One specimen, some cells of which a person named: too few to learn from."""
    made = make_bench(tmp_path)
    with desk_at(made) as desk:
        for report, _ in desk.reports(10):
            desk.take(report.id, Decision(Action.REVIEW, NAME, relabel={1: "lymphocyte"}))
    return made


def go_to(page: Page, words: str) -> None:
    """Press Tab until what has these words is focused, and see that it is."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if words in page.evaluate(_WORDS):
            assert page.evaluate(_IS_MARKED), f"that {words} is focused cannot be seen"
            return
    raise AssertionError(f"{words} is not reached by Tab")


def press(page: Page, words: str, key: str = "Enter") -> None:
    go_to(page, words)
    page.keyboard.press(key)


def test_the_first_administrator_is_made_and_a_second_person_whose_session_is_ended(page: Page, served: Served) -> None:
    page.goto(served.address)
    for label, text in (("Code", served.code), ("Your name", NAME), ("PIN or password", PIN)):
        go_to(page, label)
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_url("**/worklist")
    served.has_account()
    press(page, "Administration")
    page.wait_for_url("**/administration")
    go_to(page, "New PIN or password")
    for label, text in (("Name", "Tess"), ("PIN or password, 6", PIN)):
        go_to(page, label)
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("rowheader", name="Tess")).to_be_visible()
    press(page, f"End the session of {NAME}")
    page.wait_for_url("**/sign-in")
    go_to(page, "Name or badge")
    page.keyboard.type("tess")
    go_to(page, "PIN or password")
    page.keyboard.type(PIN)
    page.keyboard.press("Enter")
    expect(page.locator(".who")).to_contain_text("Tess technician")
    press(page, "Sign out")
    page.wait_for_url("**/sign-in")


def test_a_sample_is_searched_reviewed_and_signed(signed_in: Page) -> None:
    page = signed_in
    go_to(page, "Specimen, device or id")
    page.keyboard.type("S-17")
    page.wait_for_url("**q=S-17**")
    press(page, "S-17")
    page.wait_for_url("**/reports/**")
    expect(page.locator("#counts table")).to_be_visible()
    while page.locator(".cell.awaits").count():
        number = page.locator(".cell:focus").get_attribute("data-number")
        page.keyboard.press("l")
        expect(page.locator(f'.cell[data-number="{number}"].checked')).to_be_visible()
    while "not opened" in page.locator("#left").inner_text():
        page.keyboard.press("n")
        page.wait_for_timeout(1200)
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_contain_text("the device said")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.keyboard.type(PIN)
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("final")


def test_the_bench_is_taught_and_its_pages_of_upkeep_and_trend_are_reached(signed_in: Page) -> None:
    page = signed_in
    press(page, "Trend")
    page.wait_for_url("**/trend")
    press(page, "90 days")
    page.wait_for_url("**/trend?days=90")
    expect(page.get_by_role("heading", name="Trend")).to_be_visible()
    press(page, "Upkeep")
    page.wait_for_url("**/upkeep")
    press(page, "Pack the file")
    expect(page.get_by_role("link", name="Download the file")).to_be_visible(timeout=LONG_MS)
    assert Axe().run(page, options=WCAG_22).response["violations"] == []
    press(page, "Teach the bench")
    page.wait_for_url("**/teaching")
    press(page, "Fit to these cells")
    expect(page.get_by_role("heading", name="Nothing was changed")).to_be_visible(timeout=LONG_MS)
    assert Axe().run(page, options=WCAG_22).response["violations"] == []


def test_the_last_decision_and_then_each_n_bring_the_next_class_that_was_not_opened(
    signed_in: Page, served: Served
) -> None:
    page = signed_in
    with Outbox.open(served.bench.parent / "state" / "outbox.sqlite", owner=False) as outbox:
        counts = {"unsure": 1, "monocyte": 30, "eosinophil": 40, "lymphocyte": 50, "segmented": 60}
        made = make_sample(outbox, "S-many", 9, counts)
    page.set_viewport_size({"width": 1280, "height": 500})
    page.goto(f"{served.address}/reports/{made.id}")
    opened = page.locator(".group:has([data-seen], .checked)")
    page.keyboard.press("l")
    for classes in range(2, 6):
        expect(opened).to_have_count(classes)
        group = page.locator(".group", has=page.locator(".cell:focus"))
        heading, tools = group.locator("h2").bounding_box(), page.locator(".tools").bounding_box()
        assert heading is not None
        assert tools is not None
        under = tools["y"] + tools["height"]
        assert under <= heading["y"] < under + 120, "the class begins below the tools"
        page.keyboard.press("n")
    expect(page.locator("#left")).not_to_contain_text("not opened")
    page.keyboard.press("n")
    expect(page.locator(".group").last.locator(".cell:focus")).to_be_visible()
