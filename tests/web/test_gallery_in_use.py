"""What goes otherwise than planned on the gallery: a cell is gone, the device is away, a key comes twice."""

from pathlib import Path

from playwright.sync_api import Page, Route, expect

from tests.web.conftest import PIN, Served
from tests.web.test_review_on_the_device import (
    decide_everything,
    look_at_everything,
    open_sample,
    report_in_force,
    sign,
)


def test_a_cell_that_is_gone_is_said_so_in_one_sentence_and_nothing_covers_the_page(signed_in: Page) -> None:
    page = signed_in
    open_sample(page)
    cell = page.locator(".cell").first
    cell.evaluate("cell => cell.dataset.number = '999'")
    cell.dblclick()
    expect(page.locator("#said")).to_have_text("this report has no cell 999: load the page again")
    expect(page.locator("dialog")).to_be_hidden()


def test_while_the_device_is_away_keys_change_nothing_and_a_sentence_says_so(signed_in: Page, served: Served) -> None:
    page = signed_in
    open_sample(page)
    undecided = page.locator(".cell.awaits").count()
    served.kill()
    page.locator(".group[data-class=segmented] .cell").first.focus()
    page.keyboard.press("l")
    expect(page.locator("#said")).to_contain_text("this key was not kept")
    expect(page.locator(".cell.awaits")).to_have_count(undecided)
    page.locator(".cell.awaits").first.focus()
    page.keyboard.press("l")
    expect(page.locator(".cell.awaits")).to_have_count(undecided)
    page.locator(".cell").first.dblclick()
    expect(page.locator("#said")).to_contain_text("does not answer")


def test_a_cell_that_is_dragged_leaves_marked_ones_where_they_are_unless_it_is_one_of_them(signed_in: Page) -> None:
    page = signed_in
    open_sample(page)
    unsure = page.locator(".group[data-class=unsure] .cell")
    for at in (0, 1):
        unsure.nth(at).click(modifiers=["Shift"])
    unsure.nth(2).drag_to(page.locator(".group[data-class=blast] h2"))
    expect(unsure.nth(2)).to_have_attribute("data-name", "blast")
    expect(page.locator(".group[data-class=unsure] .cell.checked")).to_have_count(1)
    for at in (0, 1):
        unsure.nth(at).click(modifiers=["Shift"])
    unsure.nth(1).drag_to(page.locator(".group[data-class=blast] h2"))
    expect(page.locator(".group[data-class=unsure] .cell.checked")).to_have_count(3)


def test_a_screen_reader_hears_which_cell_was_named(signed_in: Page) -> None:
    page = signed_in
    open_sample(page)
    cell = page.locator(".cell:focus")
    number = cell.get_attribute("data-number")
    page.keyboard.press("l")
    named = page.locator(f'.cell[data-number="{number}"]')
    expect(named).to_have_attribute("aria-label", f"cell {number}, lymphocyte, named by a person")


def test_after_a_finding_is_dismissed_by_keys_the_focus_is_on_what_comes_next(signed_in: Page) -> None:
    page = signed_in
    open_sample(page)
    page.locator("#findings summary").first.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("known patient")
    page.keyboard.press("Tab")
    expect(page.locator("#findings del")).to_have_count(1)
    expect(page.locator("#findings :focus")).to_have_count(1)


def test_the_history_says_in_words_what_was_changed(signed_in: Page) -> None:
    page = signed_in
    open_sample(page)
    finding = "made on a simulated microscope: no specimen was examined"
    first = page.locator("#findings li", has_text=finding)
    first.locator("summary").click()
    first.get_by_label("Because").fill("known_patient")
    first.get_by_label("Because").press("Enter")
    page.get_by_label("Red cells").fill("some target cells")
    page.get_by_label("Red cells").press("Enter")
    page.locator(".cell.awaits").first.dblclick()
    page.get_by_label("Comment").fill("torn")
    page.get_by_label("Comment").press("Enter")
    page.keyboard.press("Escape")
    decide_everything(page)
    look_at_everything(page)
    sign(page)
    page.locator(".history summary").click()
    said = page.locator(".history").inner_text()
    assert f"{finding}, dismissed: known_patient" in said
    assert "Red cells: some target cells" in said
    assert ": torn" in said
    assert "Comment, cell " in said
    assert not any(raw in said for raw in ("cell/", "finding/", "remark/", "comment/"))


def test_a_step_waits_for_what_was_named_and_is_asked_for_once(signed_in: Page, bench: Path) -> None:
    page = signed_in
    open_sample(page)
    decide_everything(page)
    look_at_everything(page)
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url.rpartition("/")[2]) if one.method == "POST" else None)

    def slowly(route: Route) -> None:
        page.wait_for_timeout(600)
        route.continue_()

    page.route("**/draft", slowly)
    page.get_by_label("Platelets").fill("clumps")
    page.keyboard.press("Tab")
    page.get_by_label("Your PIN or password again").fill(PIN)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("After the signature")
    assert asked.count("act") == 1
    changes = report_in_force(bench)["lifecycle"]["steps"][0]["changes"]
    assert {one["item"]: one["to"] for one in changes}["remark/platelets"] == "clumps"


def test_undo_takes_back_a_remark_and_a_dismissal_too_the_last_step_first(signed_in: Page) -> None:
    page = signed_in
    open_sample(page)
    page.get_by_label("Red cells").fill("target cells")
    page.get_by_label("Red cells").press("Enter")
    page.locator("#findings summary").first.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("known patient")
    page.keyboard.press("Tab")
    expect(page.locator("#findings del")).to_have_count(1)
    page.locator(".cell").first.focus()
    page.keyboard.press("u")
    expect(page.locator("#findings del")).to_have_count(0)
    expect(page.get_by_label("Red cells")).to_have_value("target cells")
    page.keyboard.press("u")
    expect(page.get_by_label("Red cells")).to_have_value("")
    page.reload()
    expect(page.get_by_label("Red cells")).to_have_value("")


def test_a_cell_that_was_counted_twice_is_one_again_by_one_undo_and_the_comment_goes(signed_in: Page) -> None:
    page = signed_in
    open_sample(page)
    cell = page.locator(".cell:focus")
    number = cell.get_attribute("data-number")
    cell.press("Enter")
    page.get_by_role("button", name="Counted twice").click()
    marked = page.locator(f'.cell[data-number="{number}"]')
    expect(marked.locator(".label")).to_have_text("artefact")
    page.keyboard.press("u")
    expect(marked.locator(".label")).not_to_have_text("artefact")
    # The large view went on to the next cell and comes back with the one that is undone.
    expect(page.locator("#large-name")).to_contain_text(f"{number}")
    expect(page.get_by_label("Comment")).to_have_value("")
