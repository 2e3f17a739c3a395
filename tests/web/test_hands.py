"""What hands do beside keys: a drag between classes, a comment, free remarks; and two people on one report."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.web.conftest import NAME, PIN, Served
from tests.web.test_review_on_the_device import (
    decide_everything,
    look_at_everything,
    open_sample,
    report_in_force,
    sign,
)
from tests.web.test_security import Client, report_path


def test_a_cell_is_dragged_to_its_class_and_remarks_stand_on_the_signed_report(signed_in: Page, bench: Path) -> None:
    page = signed_in
    open_sample(page)
    cell = page.locator(".group[data-class=unsure] .cell").first
    number = cell.get_attribute("data-number")
    cell.drag_to(page.locator(".group[data-class=blast] h2"))
    moved = page.locator(f'.cell[data-number="{number}"]')
    expect(moved).to_have_attribute("data-name", "blast")
    moved.dblclick()
    page.get_by_label("Comment").fill("a nucleolus is seen")
    page.get_by_label("Comment").press("Enter")
    page.keyboard.press("Escape")
    page.get_by_label("Red cells").fill("some target cells")
    page.get_by_label("Platelets").fill("clumps at the edge")
    page.get_by_label("Platelets").press("Enter")
    page.get_by_role("button", name="Next undecided").click()
    decide_everything(page)
    look_at_everything(page)
    sign(page)
    expect(page.locator("main")).to_contain_text("final")
    steps = report_in_force(bench)["lifecycle"]["steps"]
    said = {one["item"]: one["to"] for one in steps[0]["changes"]}
    assert said[f"comment/{number}"] == "a nucleolus is seen"
    assert said["remark/red_cells"] == "some target cells"
    assert said["remark/platelets"] == "clumps at the edge"
    assert said[f"cell/{number}"] == "blast"


def test_two_people_on_one_report_see_each_other(served: Served) -> None:
    first, second = Client(served), Client(served)
    assert first.begin("/set-up", {"code": served.code, "name": NAME, "secret": PIN}) == 303
    served.has_account()
    account = {"do": "create", "name": "Tess", "role": "technician", "badge": "", "secret": PIN}
    assert first.post("/administration/account", account)[0] in (200, 303)
    assert second.begin("/sign-in", {"name": "Tess", "secret": PIN}) == 303
    path = report_path(served)
    assert "Also here" not in first.ask("GET", f"{path}/state")[2]
    assert "Also here: Dr. Ada" in second.ask("GET", path)[2]
    assert "Also here: Tess" in first.ask("GET", f"{path}/state")[2]
