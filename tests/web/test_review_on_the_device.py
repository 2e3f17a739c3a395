"""A sample looked through, named by keys and signed in a real browser, on the device."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from leukoscope.displays.live_picture import live_picture
from leukoscope.outbox.field_pictures import FieldPictures
from tests.commands.command_line import leukoscope
from tests.web.conftest import NAME, PIN, WCAG_22, Served, set_up, sign_in


def report_in_force(bench: Path) -> dict[str, Any]:
    listed = json.loads(leukoscope("report", "list", "--bench", bench, "--json").out)
    shown = leukoscope("report", "show", listed["id"], "--bench", bench, "--json")
    message: dict[str, Any] = json.loads(shown.out.splitlines()[0])
    return message


def cells_of(bench: Path) -> list[dict[str, Any]]:
    listed = json.loads(leukoscope("report", "list", "--bench", bench, "--json").out)
    shown = leukoscope("report", "show", listed["id"], "--bench", bench, "--cells", "--json")
    return [json.loads(line) for line in shown.out.splitlines()[1:]]


def open_sample(page: Page) -> None:
    page.get_by_role("link", name="S-17").click()
    expect(page.get_by_role("heading", name="Specimen S-17")).to_be_visible()


def decide_everything(page: Page) -> int:
    """Accept what the device named and call each unsure cell a lymphocyte; how many keys that took."""
    pressed = 0
    while page.locator(".cell.awaits").count():
        number = page.locator(".cell:focus").get_attribute("data-number")
        page.keyboard.press("l")
        pressed += 1
        expect(page.locator(f'.cell[data-number="{number}"].checked')).to_be_visible()
    return pressed


def look_at_everything(page: Page) -> None:
    for group in page.locator(".group").all():
        group.scroll_into_view_if_needed()
        expect(group.locator(".cell[data-seen]").first).to_be_visible()
    expect(page.locator("#left")).not_to_contain_text("not opened")


def sign(page: Page) -> None:
    page.keyboard.press("s")
    page.keyboard.type(PIN)
    page.keyboard.press("Enter")


def test_a_sample_is_named_by_keys_signed_and_sent_as_files(signed_in: Page, bench: Path) -> None:
    before = {cell["cell"]: cell["class"] for cell in cells_of(bench)}
    unsure = [number for number, name in before.items() if name == "unsure"]
    assert unsure
    open_sample(signed_in)
    assert decide_everything(signed_in) == len(unsure)
    look_at_everything(signed_in)
    sign(signed_in)
    expect(signed_in.locator("main")).to_contain_text("final")
    message = report_in_force(bench)
    assert [step["status"] for step in message["lifecycle"]["steps"]] == ["reviewed", "final"]
    assert {step["by"] for step in message["lifecycle"]["steps"]} == {NAME}
    assert {cell["class"] for cell in cells_of(bench) if cell["cell"] in unsure} == {"lymphocyte"}
    assert message["lifecycle"]["cells_looked_at"] == len(before)
    for form, begins in (("CSV", b"report"), ("FHIR", b"{"), ("PDF", b"%PDF")):
        with signed_in.expect_download() as download:
            signed_in.get_by_role("link", name=form).click()
        assert download.value.path().read_bytes().startswith(begins), form


def test_a_report_is_not_signed_while_cells_are_undecided_and_the_draft_stays(signed_in: Page, bench: Path) -> None:
    open_sample(signed_in)
    signed_in.keyboard.press("l")
    expect(signed_in.locator(".cell.checked")).to_have_count(1)
    left = signed_in.locator(".cell.awaits").count()
    sign(signed_in)
    alert = signed_in.get_by_role("alert")
    expect(alert).to_contain_text("undecided" if left else "nobody has looked")
    assert report_in_force(bench)["version"] == 1
    expect(signed_in.locator(".cell.checked")).to_have_count(1)


def test_counts_before_and_after_stand_beside_each_other_after_a_key(signed_in: Page) -> None:
    open_sample(signed_in)
    before = int(signed_in.locator("#counts tr", has_text="unsure").locator("td").nth(1).inner_text())
    signed_in.keyboard.press("b")
    row = signed_in.locator("#counts tr", has_text="unsure").locator("td")
    expect(row.nth(0)).to_have_text(str(before))
    expect(row.nth(1)).to_have_text(str(before - 1))
    expect(signed_in.locator("#findings .changed").first).to_contain_text("14 white cells")


def test_a_key_is_undone_also_after_the_page_was_left(signed_in: Page) -> None:
    open_sample(signed_in)
    number = signed_in.locator(".cell:focus").get_attribute("data-number")
    signed_in.keyboard.press("b")
    expect(signed_in.locator(f'.cell[data-number="{number}"].checked')).to_be_visible()
    signed_in.goto(signed_in.url)
    expect(signed_in.locator(f'.group[data-class="blast"] .cell[data-number="{number}"]')).to_be_visible()
    signed_in.keyboard.press("u")
    expect(signed_in.locator(f'.cell[data-number="{number}"].awaits')).to_be_visible()


def test_a_draft_survives_a_power_cut(signed_in: Page, served: Served) -> None:
    open_sample(signed_in)
    number = signed_in.locator(".cell:focus").get_attribute("data-number")
    signed_in.keyboard.press("b")
    expect(signed_in.locator(f'.cell[data-number="{number}"].checked')).to_be_visible()
    served.kill()
    served.start()
    signed_in.goto(signed_in.url)
    expect(signed_in.locator(f'.group[data-class="blast"] .cell[data-number="{number}"]')).to_be_visible()


def test_a_draft_is_not_signed_onto_a_version_that_was_not_seen(signed_in: Page, bench: Path) -> None:
    open_sample(signed_in)
    decide_everything(signed_in)
    look_at_everything(signed_in)
    number = next(cell["cell"] for cell in cells_of(bench) if cell["class"] not in ("unsure", "blast"))
    name = json.loads(leukoscope("report", "list", "--bench", bench, "--json").out)["id"]
    took = leukoscope("report", "review", name, "--bench", bench, "--by", "Dr. Bo", "--relabel", f"{number}=blast")
    assert took.code == 0, took.err
    sign(signed_in)
    expect(signed_in.locator("p.alert")).to_contain_text("version 2 is in force")
    expect(signed_in.locator("#state")).to_contain_text(f"cell {number}: ")
    assert report_in_force(bench)["version"] == 2
    signed_in.get_by_role("button", name="I have seen what changed").click()
    expect(signed_in.locator("#state")).not_to_contain_text("Dr. Bo")
    look_at_everything(signed_in)
    sign(signed_in)
    expect(signed_in.locator("main")).to_contain_text("final")


def test_several_cells_are_named_at_once(signed_in: Page) -> None:
    open_sample(signed_in)
    cells = signed_in.locator(".cell")
    count = min(3, cells.count())
    for at in range(count):
        cells.nth(at).click(modifiers=["Shift"])
    signed_in.keyboard.press("b")
    expect(signed_in.locator(".cell.checked")).to_have_count(count)
    signed_in.keyboard.press("u")
    expect(signed_in.locator(".cell.checked")).to_have_count(0)


def test_a_finding_is_dismissed_with_a_reason_that_stays_on_the_report(signed_in: Page, bench: Path) -> None:
    open_sample(signed_in)
    findings = signed_in.locator("#findings li")
    findings.first.locator("summary").click()
    reason = findings.first.get_by_label("Because")
    item = reason.get_attribute("data-remark")
    reason.fill("a stain precipitate")
    reason.press("Enter")
    signed_in.get_by_role("button", name="Next undecided").click()
    decide_everything(signed_in)
    look_at_everything(signed_in)
    sign(signed_in)
    expect(signed_in.locator("main")).to_contain_text("final")
    (change,) = [one for one in report_in_force(bench)["lifecycle"]["steps"][0]["changes"] if one["item"] == item]
    assert change["to"] == "a stain precipitate"


def test_what_was_signed_is_amended_with_a_reason_only(signed_in: Page, bench: Path) -> None:
    open_sample(signed_in)
    decide_everything(signed_in)
    look_at_everything(signed_in)
    sign(signed_in)
    expect(signed_in.locator("main")).to_contain_text("final")
    signed_in.get_by_label("PIN or password again").fill(PIN)
    signed_in.get_by_role("button", name="Amend").click()
    expect(signed_in.get_by_role("alert")).to_contain_text("needs a reason")
    signed_in.get_by_label("Remark or reason").fill("a second slide is asked for")
    signed_in.get_by_label("PIN or password again").fill(PIN)
    signed_in.get_by_role("button", name="Amend").click()
    expect(signed_in.locator(".history")).to_contain_text("a second slide is asked for")
    assert report_in_force(bench)["lifecycle"]["status"] == "amended"


def test_a_cell_is_seen_large_with_its_outline_and_what_is_measured(signed_in: Page) -> None:
    open_sample(signed_in)
    number = signed_in.locator(".cell:focus").get_attribute("data-number")
    signed_in.keyboard.press("Enter")
    dialog = signed_in.locator("dialog")
    expect(dialog.locator("polygon")).to_be_visible()
    # The drawn disc of each cell is 22 to 30 pixels in radius, of 0.15 µm.
    diameter = float(
        dialog.locator("div", has=signed_in.get_by_text("diameter", exact=True)).last.inner_text().split()[1]
    )
    assert 2 * 22 * 0.15 - 0.2 < diameter < 2 * 31 * 0.15
    expect(dialog).to_contain_text("roundness")
    shown = dialog.locator("img.big").bounding_box()
    drawn = dialog.locator("polygon").bounding_box()
    assert shown is not None
    assert drawn is not None
    # The outline lies around the middle of the picture.
    assert abs((shown["x"] + shown["width"] / 2) - (drawn["x"] + drawn["width"] / 2)) < 0.03 * shown["width"]
    assert 0.4 < drawn["width"] / shown["width"] < 0.7
    signed_in.keyboard.press(".")
    expect(dialog.locator("polygon")).to_be_hidden()
    signed_in.keyboard.press(".")
    expect(dialog.locator("polygon")).to_be_visible()
    dialog.get_by_role("button", name="Counted twice").click()
    expect(dialog.get_by_role("heading", name=f"cell {number}:")).to_have_count(0)
    signed_in.keyboard.press("Escape")
    cell = signed_in.locator(f'.cell[data-number="{number}"]')
    expect(cell).to_have_attribute("data-name", "artefact")
    expect(signed_in.locator("#counts")).to_contain_text("artefact")
    cell.dblclick()
    expect(dialog.get_by_label("Comment")).to_have_value("counted twice")
    signed_in.keyboard.press("Escape")
    signed_in.keyboard.press("u")
    expect(cell).not_to_have_attribute("data-name", "artefact")
    cell.dblclick()
    expect(dialog.get_by_label("Comment")).to_have_value("")
    dialog.get_by_role("button", name="artefact").click()
    expect(cell).to_have_attribute("data-name", "artefact")


def test_every_page_is_accessible(signed_in: Page, served: Served) -> None:
    found = {}
    for path in ("/worklist", "/administration", "/upkeep/settings", "/no-such-page"):
        signed_in.goto(served.address + path)
        found[path] = Axe().run(signed_in, options=WCAG_22)
    signed_in.goto(f"{served.address}/worklist")
    open_sample(signed_in)
    expect(signed_in.locator("#counts table")).to_be_visible()
    found["report"] = Axe().run(signed_in, options=WCAG_22)
    wide = signed_in.viewport_size
    signed_in.set_viewport_size({"width": 390, "height": 844})
    found["report on a phone"] = Axe().run(signed_in, options=WCAG_22)
    assert wide is not None
    signed_in.set_viewport_size(wide)
    signed_in.locator(".cell").first.focus()
    signed_in.keyboard.press("Enter")
    expect(signed_in.locator("dialog")).to_contain_text("the device said")
    found["cell"] = Axe().run(signed_in, options=WCAG_22)
    signed_in.context.clear_cookies()
    signed_in.goto(f"{served.address}/sign-in")
    found["sign-in"] = Axe().run(signed_in, options=WCAG_22)
    assert {name: run.generate_report() for name, run in found.items() if run.violations_count} == {}


def test_the_first_page_of_all_is_accessible(page: Page, served: Served) -> None:
    page.goto(served.address)
    expect(page.get_by_label("Code")).to_be_visible()
    run = Axe().run(page, options=WCAG_22)
    assert run.response["violations"] == []
    assert "target-size" in {rule["id"] for rule in run.response["passes"]}


def test_a_phone_shows_the_page_without_scrolling_sideways(signed_in: Page) -> None:
    signed_in.set_viewport_size({"width": 390, "height": 844})
    for language in ("Français", "Español", "English"):
        signed_in.get_by_role("button", name=language).click()
        expect(signed_in.get_by_role("button", name=language)).to_have_attribute("aria-current", "true")
        assert signed_in.evaluate("(at => at.scrollWidth - at.clientWidth)(document.querySelector('.lines'))") <= 0
    expect(signed_in.get_by_role("row", name="S-17")).to_contain_text("preliminary", use_inner_text=True)
    open_sample(signed_in)
    assert signed_in.evaluate("document.documentElement.scrollWidth") <= 390
    signed_in.locator(".cell").first.scroll_into_view_if_needed()
    tools = signed_in.locator(".tools").bounding_box()
    assert tools is not None
    assert tools["height"] < 80, "the cells have the height"
    expect(signed_in.locator(".bar")).to_be_in_viewport()


def test_on_a_touch_screen_cells_are_marked_named_and_seen_large_without_leaving_the_gallery(
    browser: Browser, served: Served
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    set_up(page, served)
    open_sample(page)
    cells = page.locator(".group[data-class=unsure] .cell")
    for at in range(2):
        cells.nth(at).tap()
    expect(page.locator(".cell[aria-pressed=true]")).to_have_count(2)
    name = page.locator('[data-name-as="blast"]')
    expect(page.locator(".classes")).to_be_in_viewport()
    expect(cells.first).to_be_in_viewport()
    name.tap()
    expect(page.locator(".cell.checked")).to_have_count(2)
    page.get_by_role("button", name="Large").tap()
    expect(page.locator("dialog")).to_contain_text("the device said")
    page.get_by_role("button", name="Close").tap()
    page.get_by_role("button", name="The name is right").tap()
    expect(page.locator(".cell.checked")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert Axe().run(page, options=WCAG_22).response["violations"] == []
    context.close()


def test_findings_lead_to_their_cells_and_are_said_in_the_language_of_the_person(
    signed_in: Page, served: Served
) -> None:
    open_sample(signed_in)
    signed_in.get_by_role("button", name="Français").click()
    findings = signed_in.locator("#findings")
    expect(findings).to_contain_text("aucun échantillon examiné")
    link = findings.get_by_role("link", name="cellules : blaste").first
    link.click()
    expect(signed_in.locator("#group-blast")).to_be_in_viewport()


def test_without_a_script_the_report_can_be_read(signed_in: Page, served: Served) -> None:
    browser = signed_in.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, served)
    page.get_by_role("link", name="S-17").click()
    expect(page.locator("#counts")).to_contain_text("unsure")
    expect(page.locator("#findings")).to_contain_text("simulated")
    context.close()


def test_the_field_around_a_cell_is_shown_with_where_the_cell_lies(
    signed_in: Page, served: Served, bench: Path
) -> None:
    page = signed_in
    open_sample(page)
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_be_visible()
    expect(page.locator("dialog .wide")).to_have_count(0)
    page.keyboard.press("Escape")
    number = page.locator(".cell:focus").get_attribute("data-number")
    message = report_in_force(bench)
    field = next(cell["field"] for cell in cells_of(bench) if str(cell["cell"]) == number)
    pixels = np.full((300, 400, 3), 220, np.uint8)
    FieldPictures(bench.parent / "state").keep(message["id"], field, live_picture(pixels), 400, 300)
    page.keyboard.press("Enter")
    around = page.locator("dialog .wide")
    expect(around).to_be_visible()
    box = around.locator("rect:not(.other)").bounding_box()
    whole = around.locator("img").bounding_box()
    assert box is not None
    assert whole is not None
    # The made cells lie at 10 to 90 pixels of their field.
    assert abs((box["x"] - whole["x"]) / whole["width"] - 10 / 400) < 0.02
    assert abs(box["width"] / whole["width"] - 80 / 400) < 0.02
    assert Axe().run(page, options=WCAG_22).response["violations"] == []
    gone = page.request.get(f"{served.address}/reports/{message['id']}/fields/999.jpg")
    assert gone.status == 404
