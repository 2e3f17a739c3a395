"""Cells named in reviews teach the bench on the page, by the commands of the device."""

import re
import subprocess
import time
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from leukoscope.outbox.cell_pictures import named_counts
from leukoscope.outbox.store import Outbox
from leukoscope.reviewing.decision import Decision
from leukoscope.reviewing.desk import desk_at
from leukoscope.specimen.lifecycle import Action
from leukoscope.web.own_commands import words_of
from leukoscope.web.teaching import Teaching
from leukoscope.web.words import said_in
from tests.brokers import wait_until
from tests.web.conftest import NAME, PIN, WCAG_22, Served, sign_in
from tests.web.made import CELLS, make_bench
from tests.web.test_keyboard_alone import press

SPECIMENS = ("S-1", "S-2")
EACH = sum(CELLS.values())
LONG_MS = 120_000


def name_of(number: int) -> str:
    """By the size of its disc in the picture, so that there is something to learn."""
    return "erythroblast" if number % 9 > 4 else "lymphocyte"


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """Two specimens, every cell of which a person named."""
    made = make_bench(tmp_path, SPECIMENS)
    with desk_at(made) as desk:
        for report, _ in desk.reports(10):
            names = {number: name_of(number) for number in range(1, EACH + 1)}
            desk.take(report.id, Decision(Action.REVIEW, NAME, relabel=names))
    return made


def test_named_cells_are_counted_by_source_and_class(bench: Path) -> None:
    with Outbox.open(bench.parent / "state" / "outbox.sqlite", owner=False) as outbox:
        counts = named_counts(outbox)
    assert sum(cells for *_, cells, _ in counts) == EACH * len(SPECIMENS)
    assert {specimens for *_, specimens in counts} == {len(SPECIMENS)}
    assert {name for _, name, _, _ in counts} == {"lymphocyte", "erythroblast"}


def test_a_reviewer_teaches_the_bench_puts_it_in_force_and_goes_back_by_keys(signed_in: Page, bench: Path) -> None:
    page = signed_in
    press(page, "Teach the bench")
    expect(page.locator("caption")).to_contain_text(str(EACH * len(SPECIMENS)))
    assert Axe().run(page, options=WCAG_22).response["violations"] == []
    expect(page.locator("#in-force")).to_contain_text("as the software or the settings bring it")
    press(page, "Fit to these cells")
    expect(page.get_by_role("heading", name="The fit is under way")).to_be_visible()
    expect(page.get_by_role("heading", name="Before and after")).to_be_visible(timeout=LONG_MS)
    expect(page.locator("#progress")).to_contain_text(f"of {EACH * len(SPECIMENS)} cells")
    press(page, "Put it in force")
    expect(page.get_by_role("alert")).to_contain_text("in force from the next start", timeout=LONG_MS)
    expect(page.locator("#in-force")).to_contain_text(".100001")
    assert Axe().run(page, options=WCAG_22).response["violations"] == []
    press(page, "Back to the one before")
    expect(page.locator("#in-force")).to_contain_text("as the software", timeout=LONG_MS)
    expect(page.get_by_role("button", name="Back to the one before")).to_have_count(0)


def test_too_few_cells_teach_nothing_and_the_page_says_why(tmp_path: Path) -> None:
    bench = make_bench(tmp_path)
    with Outbox.open(bench.parent / "state" / "outbox.sqlite", owner=False) as outbox:
        teaching = Teaching(outbox, bench, bench.parent / "state", "classifier")
        assert teaching.named() == []
        teaching.fit("live")
        with pytest.raises(ValueError, match="a fit is under way"):
            teaching.fit("live")
        assert teaching._process is not None
        teaching._process.wait(60)
        assert wait_until(lambda: not teaching.progress.running)
        assert "found none" in teaching.progress.error
        assert "aucune dans 0 d'entre eux sur 1" in said_in("fr", teaching.progress.error)
        assert not teaching.waits


def test_a_technician_does_not_teach(signed_in: Page, served: Served) -> None:
    page = signed_in
    page.goto(f"{served.address}/administration")
    page.get_by_label("Name", exact=True).fill("Tess")
    page.locator("form.fields select").select_option("technician")
    page.locator("form.fields input[type=password]").fill(PIN)
    page.get_by_role("button", name="Make the account").click()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, served, "Tess")
    expect(page.get_by_role("link", name="Bench")).to_be_visible()
    expect(page.get_by_role("link", name="Teach the bench")).to_have_count(0)
    answer = page.request.get(f"{served.address}/teaching")
    assert answer.status == 403


def test_a_fit_and_the_page_stay_within_the_memory_of_the_unit(bench: Path, tmp_path: Path) -> None:
    unit = Path(__file__).resolve().parents[2] / "systemd" / "leukoscope-web.service"
    allowed = re.search(r"MemoryMax=(\d+)M", unit.read_text())
    assert allowed is not None
    fit = words_of(bench, ("adapt", "fitted-here"), "--to", str(tmp_path / "fitted"), "--source", "simulated")
    most_bytes = 0
    with subprocess.Popen(fit, stderr=subprocess.PIPE, text=True) as running:
        # What a file backs is not counted: the system takes such pages back before it refuses memory.
        while running.poll() is None:
            status = Path(f"/proc/{running.pid}/status").read_text()
            if anonymous := re.search(r"RssAnon:\s+(\d+) kB", status):
                most_bytes = max(most_bytes, int(anonymous[1]) * 1024)
            time.sleep(0.01)
        assert running.stderr is not None
        assert running.returncode == 0, running.stderr.read()
    assert most_bytes > 50e6
    # The page beside it holds up to 70 MB.
    assert most_bytes + 70e6 <= int(allowed[1]) * 2**20
