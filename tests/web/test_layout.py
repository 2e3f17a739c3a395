"""How a page looks, measured: one row of pages, a specimen that stays in sight, and light and dark alike."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.brokers import wait_until
from tests.web.conftest import WCAG_22, Served, set_up
from tests.web.test_review_on_the_device import open_sample

PAGES = ("/worklist", "/bench", "/trend?days=0", "/teaching", "/upkeep", "/administration")


@pytest.mark.parametrize("language", ["English", "Français", "Español"])
def test_at_1280_pixels_all_pages_stand_in_one_row(signed_in: Page, language: str) -> None:
    signed_in.get_by_role("button", name=language).click()
    header = signed_in.locator("header").bounding_box()
    assert header is not None
    assert header["height"] <= 50
    assert signed_in.evaluate("document.documentElement.scrollWidth") == 1280
    tops = {box["y"] for one in signed_in.locator("header nav a").all() if (box := one.bounding_box())}
    assert len(tops) == 1


def test_the_page_that_is_shown_stands_out_and_is_in_view_on_a_phone(signed_in: Page, served: Served) -> None:
    signed_in.set_viewport_size({"width": 390, "height": 844})
    for path in PAGES:
        signed_in.goto(served.address + path)
        expect(signed_in.locator("header nav a[aria-current]")).to_be_in_viewport(ratio=1)
        assert signed_in.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("width", [390, 1280])
def test_whose_cells_they_are_stays_in_sight(signed_in: Page, width: int) -> None:
    signed_in.set_viewport_size({"width": width, "height": 700})
    open_sample(signed_in)
    signed_in.locator(".group").last.locator(".cell").last.scroll_into_view_if_needed()
    expect(signed_in.get_by_role("heading", name="Specimen S-17")).to_be_in_viewport(ratio=1)
    tools = signed_in.locator(".tools").bounding_box()
    assert tools is not None
    assert tools["height"] < 50, "one row"
    signed_in.get_by_role("link", name="To the signature").click()
    expect(signed_in.get_by_label("PIN or password again")).to_be_in_viewport(ratio=1)


def test_dark_pages_are_as_accessible_as_light_ones(browser: Browser, served: Served) -> None:
    context = browser.new_context(color_scheme="dark", viewport={"width": 1280, "height": 800}, locale="en-GB")
    page = context.new_page()
    set_up(page, served)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 23, 27)"
    found = {}
    for path in PAGES:
        page.goto(served.address + path)
        found[path] = Axe().run(page, options=WCAG_22).response["violations"]
    page.goto(f"{served.address}/worklist")
    open_sample(page)
    page.keyboard.press("b")
    expect(page.locator(".cell.checked")).to_have_count(1)
    page.locator(".cell").nth(3).click(modifiers=["Shift"])
    expect(page.locator("#findings .changed").first).to_be_visible()
    found["report"] = Axe().run(page, options=WCAG_22).response["violations"]
    page.locator(".cell").nth(4).focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_contain_text("the device said")
    found["cell"] = Axe().run(page, options=WCAG_22).response["violations"]
    context.close()
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_a_worklist_without_reports_says_what_that_means(signed_in: Page, served: Served) -> None:
    signed_in.goto(f"{served.address}/worklist?q=nothing-is-called-so")
    expect(signed_in.locator(".empty")).to_have_text("No report fits this search.")
    signed_in.goto(f"{served.address}/worklist?state=signed")
    expect(signed_in.locator(".empty")).to_have_text("No report is signed yet.")


def test_no_cross_is_drawn_in_a_field_before_a_place_is_pointed_at(signed_in: Page) -> None:
    signed_in.set_content('<link rel="stylesheet" href="/static/page.css"><svg><g id="cross" hidden></g></svg>')
    assert signed_in.evaluate("getComputedStyle(document.getElementById('cross')).display") == "none"


def free_of_head(page: Page) -> bool:
    """The focused cell begins below what stays at the top."""
    found = page.evaluate(
        """() => document.querySelector(".cell:focus").getBoundingClientRect().top
            - document.querySelector(".head").getBoundingClientRect().bottom"""
    )
    return float(found) >= 0


def test_why_a_signature_was_refused_is_in_sight_beside_the_first_undecided_cell(signed_in: Page) -> None:
    open_sample(signed_in)
    signed_in.keyboard.press("s")
    signed_in.keyboard.type("not my PIN")
    signed_in.keyboard.press("Enter")
    expect(signed_in.locator(".cell:focus")).to_be_in_viewport()
    signed_in.locator(".group").last.locator(".cell").last.scroll_into_view_if_needed()
    refused = signed_in.get_by_role("alert")
    expect(refused).to_be_in_viewport(ratio=1)
    expect(refused).to_contain_text("name and PIN do not belong together")
    # Nothing lies over the cell that the keys are about.
    signed_in.keyboard.press("n")
    assert wait_until(lambda: free_of_head(signed_in))
    # Nor when the head grows while the cell is looked at.
    signed_in.evaluate("document.querySelector('.head').append(document.createElement('hr'), 'another reader')")
    assert wait_until(lambda: free_of_head(signed_in))
