"""The large view of a cell: it is named there by the keys of the gallery, and the next one that waits follows."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from leukoscope.web.class_keys import keys_for
from leukoscope.web_settings import WebSettings
from tests.web.conftest import Served
from tests.web.made import CELLS, make_bench
from tests.web.test_review_on_the_device import open_sample

OUTLINE_KEY = "."


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A bench whose site chose its own keys, one of them the letter of an outline."""
    made = make_bench(tmp_path)
    with made.open("a") as settings:
        settings.write('\n[web]\nkeys = { o = "monocyte", q = "lymphocyte" }\n')
    return made


def shown(page: Page, number: int | str) -> Locator:
    return page.locator("dialog").get_by_role("heading", name=f"cell {number}:")


def numbers_of(page: Page, which: str) -> list[str]:
    return [str(one.get_attribute("data-number")) for one in page.locator(which).all()]


def test_cells_are_named_by_the_keys_of_the_site_and_the_next_one_that_waits_is_shown(
    signed_in: Page, bench: Path
) -> None:
    page = signed_in
    open_sample(page)
    first, second, third, *_ = numbers_of(page, ".cell.awaits")
    page.keyboard.press("Enter")
    expect(shown(page, first)).to_be_focused()
    page.keyboard.press("o")
    expect(shown(page, second)).to_be_focused()
    expect(page.locator("dialog polygon")).to_be_visible()
    page.keyboard.press("q")
    expect(shown(page, third)).to_be_focused()
    page.keyboard.press(" ")
    expect(shown(page, third)).to_have_count(0)
    for number, name in ((first, "monocyte"), (second, "lymphocyte"), (third, "unsure")):
        cell = page.locator(f'.cell[data-number="{number}"].checked')
        expect(cell).to_have_attribute("data-name", name)
    page.keyboard.press("u")
    expect(shown(page, third)).to_be_focused()
    expect(page.locator(f'.cell[data-number="{third}"].checked')).to_have_count(0)


def test_after_the_last_cell_that_waits_the_gallery_comes_back(signed_in: Page) -> None:
    page = signed_in
    open_sample(page)
    waiting = numbers_of(page, ".cell.awaits")
    page.keyboard.press("Enter")
    for number in waiting:
        expect(shown(page, number)).to_be_focused()
        page.keyboard.press("q")
    expect(page.locator("dialog")).to_be_hidden()
    expect(page.locator(".cell.awaits")).to_have_count(0)
    expect(page.locator(".cell:focus")).to_have_count(1)


def test_the_arrows_show_the_cells_beside_and_the_gallery_follows(signed_in: Page) -> None:
    page = signed_in
    open_sample(page)
    numbers = numbers_of(page, ".cell")
    page.locator(f'.cell[data-number="{numbers[0]}"]').focus()
    page.keyboard.press("Enter")
    expect(shown(page, numbers[0])).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(shown(page, numbers[1])).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(shown(page, numbers[2])).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(shown(page, numbers[1])).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(f'.cell[data-number="{numbers[1]}"]')).to_be_focused()


def test_a_letter_that_is_typed_into_a_comment_names_nothing(signed_in: Page) -> None:
    page = signed_in
    open_sample(page)
    page.keyboard.press("Enter")
    comment = page.get_by_label("Comment")
    comment.click()
    comment.press_sequentially("o q.")
    expect(comment).to_have_value("o q.")
    expect(page.locator(".cell.checked")).to_have_count(0)
    expect(page.locator("dialog polygon")).to_be_visible()


def test_cells_behind_the_large_view_are_not_looked_at(signed_in: Page, bench: Path) -> None:
    page = signed_in
    page.set_viewport_size({"width": 1280, "height": 360})
    open_sample(page)
    last = numbers_of(page, ".cell")[-1]
    page.locator(".cell").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog h2")).to_be_focused()
    page.evaluate("number => document.querySelector(`.cell[data-number='${number}']`).scrollIntoView()", last)
    page.wait_for_timeout(1000)
    cell = page.locator(f'.cell[data-number="{last}"]')
    expect(cell).not_to_have_attribute("data-seen", "1")
    page.keyboard.press("Escape")
    cell.scroll_into_view_if_needed()
    expect(cell).to_have_attribute("data-seen", "1")


def test_while_the_device_is_away_the_large_view_says_so_and_stays(signed_in: Page, served: Served) -> None:
    page = signed_in
    open_sample(page)
    page.keyboard.press("Enter")
    expect(page.locator("dialog h2")).to_be_focused()
    served.kill()
    page.keyboard.press("q")
    expect(page.locator("dialog").get_by_role("status")).to_contain_text("does not answer")
    expect(page.locator(".cell.checked")).to_have_count(0)


def test_no_class_has_the_key_of_the_outline() -> None:
    classes = [f"class {number}" for number in range(60)]
    assert OUTLINE_KEY not in keys_for(classes, {})
    assert OUTLINE_KEY not in keys_for([*CELLS], {})
    with pytest.raises(ValueError, match="pattern"):
        WebSettings(keys={OUTLINE_KEY: "blast"})
