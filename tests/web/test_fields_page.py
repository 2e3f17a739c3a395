"""A cell that the device missed is pointed at on its field, named by a key, and signed, in a real browser."""

import json
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from leukoscope.displays.live_picture import live_picture
from leukoscope.outbox.field_pictures import FieldPictures
from leukoscope.specimen.place import Place
from tests.web.conftest import PIN, WCAG_22, Served
from tests.web.made import make_bench
from tests.web.test_review_on_the_device import decide_everything, look_at_everything, report_in_force, sign

REPORT = "00000000-0000-0000-0000-000000000001"
COLS, ROWS = 800, 600


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """Fields 3 and 4 have pictures; the made cells lie at 10 to 90 pixels of their fields."""
    made = make_bench(tmp_path)
    fields = FieldPictures(tmp_path / "state")
    pixels = np.full((ROWS, COLS, 3), (238, 214, 222), np.uint8)
    pixels[280:340, 480:540] = (96, 58, 143)
    for number in (3, 4):
        fields.keep(REPORT, number, live_picture(pixels), COLS, ROWS)
    fields.keep_places(REPORT, {3: Place(1, 0, 0), 4: Place(1, 0, 300)})
    return made


@pytest.fixture
def on_field(signed_in: Page, served: Served) -> Page:
    signed_in.goto(f"{served.address}/reports/{REPORT}")
    signed_in.get_by_role("link", name="Add a missed cell").click()
    expect(signed_in.get_by_role("heading", name="Field 3")).to_be_visible()
    return signed_in


def point_at(page: Page, x: float, y: float) -> None:
    box = page.locator("#shown img").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + x / COLS * box["width"], box["y"] + y / ROWS * box["height"])


def added(page: Page) -> int:
    return page.locator(".in-field li", has_text="added cell").count()


def test_a_missed_cell_is_pointed_at_named_seen_among_the_cells_and_signed(on_field: Page, bench: Path) -> None:
    page = on_field
    page.keyboard.press("b")
    expect(page.locator("#said")).to_contain_text("Point at a cell first")
    point_at(page, 510, 310)
    expect(page.locator("#said")).to_contain_text("nothing was found here")
    page.keyboard.press("b")
    expect(page.locator(".in-field")).to_contain_text("added cell: blast")
    expect(page.locator("#counts tr", has_text="blast").locator("td").nth(1)).to_have_text("3")
    assert Axe().run(page, options=WCAG_22).response["violations"] == []
    page.get_by_role("link", name="Back to the cells").click()
    cell = page.locator('.group[data-class="blast"] .cell[data-field="3"]')
    expect(cell.locator("svg image")).to_be_visible()
    expect(cell).to_have_accessible_name("added cell, blast, named by a person")
    page.get_by_role("button", name="Next undecided").click()
    decide_everything(page)
    look_at_everything(page)
    sign(page)
    expect(page.locator("main")).to_contain_text("final")
    message = report_in_force(bench)
    (missed,) = [one for one in message["lifecycle"]["steps"][0]["changes"] if one["from"].startswith("missed/")]
    _, field, x, y = missed["from"].split("/")
    assert (missed["to"], field) == ("blast", "3")
    assert abs(int(x) - 510) < 4
    assert abs(int(y) - 310) < 4
    assert next(one["count"] for one in message["white_cells"]["differential"] if one["class"] == "blast") == 3
    assert message["lifecycle"]["cells_looked_at"] == 19
    expect(page.locator(".history")).to_contain_text("missed by the device in field 3", use_inner_text=False)


def test_a_click_inside_a_cell_that_was_found_names_that_cell_and_counts_none_twice(on_field: Page) -> None:
    page = on_field
    point_at(page, 50, 50)
    expect(page.locator("#said")).to_contain_text("a cell that was found is there")
    before = page.locator(".in-field li").count()
    page.keyboard.press("b")
    expect(page.locator("#said")).to_contain_text("blast")
    expect(page.locator("#counts .changed").first).to_be_visible()
    assert page.locator(".in-field li").count() == before
    assert added(page) == 0
    # Field 4 lies 300 pixels to the right: what field 3 shows at 410 lies at 110 there, and twice is refused as well.
    point_at(page, 410, 310)
    page.keyboard.press("m")
    expect(page.locator(".in-field")).to_contain_text("added cell: monocyte")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="Field 4")).to_be_visible()
    point_at(page, 110, 310)
    page.keyboard.press("l")
    expect(page.locator("#counts tr", has_text="lymphocyte").locator("td").nth(1)).to_have_text("5")
    assert added(page) == 0
    page.go_back()
    expect(page.locator(".in-field")).to_contain_text("added cell: lymphocyte")


def test_by_keyboard_alone_a_cell_is_added_undone_added_again_and_removed(on_field: Page) -> None:
    page = on_field
    for _ in range(30):
        if page.evaluate("document.activeElement.id") == "shown":
            break
        page.keyboard.press("Tab")
    else:
        raise AssertionError("the field is not reached by Tab")
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator("#said")).to_contain_text(f"{COLS // 2 + 16}, {ROWS // 2 + 3}")
    page.keyboard.press("b")
    expect(page.locator(".in-field")).to_contain_text("added cell: blast")
    page.keyboard.press("u")
    expect(page.locator(".in-field")).not_to_contain_text("added cell")
    page.keyboard.press("l")
    expect(page.locator(".in-field")).to_contain_text("added cell: lymphocyte")
    button = page.get_by_role("button", name="Remove")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".in-field")).not_to_contain_text("added cell")
    page.keyboard.press("u")
    expect(page.locator(".in-field")).to_contain_text("added cell: lymphocyte")


def test_a_place_at_the_edge_is_refused_in_words_and_a_field_that_was_not_kept_too(
    on_field: Page, served: Served
) -> None:
    page = on_field
    point_at(page, 790, 310)
    page.keyboard.press("b")
    expect(page.locator("#said")).to_contain_text("may be cut by it")
    assert added(page) == 0
    answer = page.request.get(f"{served.address}/reports/{REPORT}/fields/9", headers={"accept": "application/json"})
    assert (answer.status, "no picture of this field" in answer.text()) == (404, True)
    for wrong in ({"field": "3"}, {"x": 1.5}, {"x": None}):
        body = {"do": "missed", "field": 3, "x": 400, "y": 300, "class": "blast"} | wrong
        answer = page.request.post(
            f"{served.address}/reports/{REPORT}/draft",
            data=json.dumps(body), headers={"origin": served.address, "content-type": "application/json"},
        )  # fmt: skip
        assert answer.status == 400


def test_a_cell_that_another_person_added_meanwhile_is_named_and_not_added_again(on_field: Page, bench: Path) -> None:
    from tests.commands.command_line import leukoscope

    page = on_field
    point_at(page, 510, 310)
    page.keyboard.press("b")
    expect(page.locator(".in-field")).to_contain_text("added cell: blast")
    done = leukoscope("report", "review", REPORT, "--bench", bench, "--by", "Dr. Bo", "--missed", "3/505/305=monocyte")
    assert done.code == 0, done.err
    page.get_by_role("link", name="Back to the cells").click()
    page.get_by_role("button", name="I have seen what changed").click()
    expect(page.locator("#state")).not_to_contain_text("Dr. Bo")
    expect(page.locator('.cell[data-number="19"]')).to_have_attribute("data-name", "blast")
    expect(page.locator(".cell[data-field]")).to_have_count(0)
    page.get_by_role("button", name="Next undecided").click()
    decide_everything(page)
    look_at_everything(page)
    sign(page)
    expect(page.locator("main")).to_contain_text("final")
    assert PIN not in json.dumps(report_in_force(bench))
