"""A reviewer verifies the bench on the page: whole classes are confirmed by two keys, and the record is shown."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from leukoscope.reviewing.decision import Decision
from leukoscope.reviewing.desk import desk_at
from leukoscope.settings import BenchSettings
from leukoscope.specimen.lifecycle import Action
from tests.commands.test_run import write_bench
from tests.commands.test_verify import CELLS, NAMES, counted
from tests.web.conftest import NAME, PIN, WCAG_22, Served

SLOW_MS = 30_000


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """Three live specimens of forty cells."""
    made = write_bench(tmp_path)
    for number in (1, 2, 3):
        counted(made, number, pictures=CELLS)
    return made


def test_whole_classes_are_confirmed_by_two_keys_and_the_bench_is_verified(signed_in: Page, bench: Path) -> None:
    page = signed_in
    page.get_by_role("link", name="S-1", exact=True).click()
    for name in NAMES:
        group = page.locator(f".group[data-class={name}]")
        group.locator(".cell").first.focus()
        group.scroll_into_view_if_needed()
        expect(group.locator(".cell[data-seen]")).to_have_count(CELLS // len(NAMES))
        page.keyboard.press("*")
        expect(group.locator("[aria-pressed=true]")).to_have_count(CELLS // len(NAMES))
        page.keyboard.press("b" if name == "unsure" else " ")
        expect(group.locator(".cell.checked")).to_have_count(CELLS // len(NAMES))
    page.get_by_label("Your PIN or password again").fill(PIN)
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_text("final", exact=True)).to_be_visible()
    page.get_by_role("link", name="Teach the bench").click()
    shown = page.locator("#verification")
    expect(shown).to_contain_text("Not verified: 40 of 100 checked cells, 1 of 3 specimens", timeout=SLOW_MS)
    expect(shown.get_by_role("row", name="blast 10")).to_contain_text("0 %")
    with desk_at(bench) as desk:
        for report, _ in desk.reports(10):
            if report.sample_id != "S-1":
                desk.take(report.id, Decision(Action.REVIEW, NAME, relabel={3: "blast"}, all_checked=True))
    page.reload()
    expect(shown).to_contain_text("Verified: 102 of 100 checked cells, 3 of 3 specimens", timeout=SLOW_MS)
    assert Axe().run(page, options=WCAG_22).response["violations"] == []


def test_a_damaged_record_is_named_on_the_page_and_kept(signed_in: Page, bench: Path, served: Served) -> None:
    path = BenchSettings.read(bench).storage.folder / "verification.json"
    path.write_text("{}broken", "utf-8")
    signed_in.goto(f"{served.address}/teaching/verification")
    expect(signed_in.get_by_role("alert")).to_contain_text("the bench counts as not verified", timeout=SLOW_MS)
    assert path.read_text("utf-8") == "{}broken"
