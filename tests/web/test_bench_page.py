"""The technician's page beside a simulated bench that really counts, in a real browser."""

import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from leukoscope.displays.live_picture import LONGEST_SIDE
from leukoscope.web.bench_link import BenchAwayError, BenchLink
from tests.commands.command_line import leukoscope
from tests.web.benches import running, wait_for, write_live_bench
from tests.web.conftest import NAME, WCAG_22, Served, set_up
from tests.web.made import make_bench

LONG_MS = 40_000
UNKNOWN = "00000000-0000-0000-0000-000000000009"


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """One that has counted before, and waits for a technician."""
    make_bench(tmp_path)
    return write_live_bench(tmp_path)


@pytest.fixture
def link(bench: Path) -> BenchLink:
    return BenchLink(bench.parent / "state" / "live")


@pytest.fixture
def counting(bench: Path, link: BenchLink) -> Iterator["subprocess.Popen[bytes]"]:
    """The bench runs and is ready."""
    with running(bench) as process:
        wait_for(link, lambda state: state.doing == "ready" and "Ready" in state.screens)
        yield process


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=WCAG_22).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]


def test_a_technician_starts_watches_pauses_goes_on_and_finishes(
    counting: "subprocess.Popen[bytes]", signed_in: Page, served: Served, bench: Path
) -> None:
    page = signed_in
    page.get_by_role("link", name="Bench", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Ready")
    expect(page.locator("#no-field")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Specimen id").fill("S-42")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Counting: S-42")
    expect(page.locator("#bench-live")).to_contain_text("White cells")
    expect(page.locator("#field")).to_be_visible(timeout=LONG_MS)
    expect(page.locator("meter")).to_be_visible()
    before = page.locator("#field").get_attribute("data-frame")
    expect(page.locator("#field")).not_to_have_attribute("data-frame", before or "", timeout=LONG_MS)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status")).to_have_text("Paused: S-42")
    assert violations(page) == []
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("status")).to_have_text("Counting: S-42")
    expect(page.locator("#bench-live tbody th").first).to_be_visible(timeout=LONG_MS)
    page.get_by_role("button", name="Finish and report").click()
    expect(page.get_by_role("status")).to_have_text("Finished")
    expect(page.locator("#bench-live")).to_contain_text("Specimen S-42")
    page.get_by_role("link", name="The report is in the worklist").click()
    expect(page.get_by_role("link", name="S-42")).to_be_visible()
    trail = leukoscope("audit", "list", "--bench", bench, "--json").out
    asked = [one for one in map(json.loads, trail.splitlines()) if one["action"] == "command"]
    assert {one["by"] for one in asked} == {f"{NAME} (on the page)"}
    assert [one["details"]["name"] for one in asked] == [
        "start_sample", "pause_sample", "resume_sample", "finish_sample",
    ]  # fmt: skip


def test_a_name_used_before_is_asked_back_and_a_bench_that_is_killed_is_told(
    counting: "subprocess.Popen[bytes]", signed_in: Page, served: Served
) -> None:
    page = signed_in
    page.goto(f"{served.address}/bench")
    for name, said in (("S-1", "Counting: S-1"), ("S-1", "")):
        page.get_by_label("Specimen id").fill(name)
        page.get_by_role("button", name="Start").click()
        if said:
            expect(page.get_by_role("status")).to_have_text(said)
            page.get_by_role("button", name="Finish and report").click()
            expect(page.get_by_role("status")).to_have_text("Finished")
    expect(page.get_by_role("alert")).to_contain_text("counted before")
    page.get_by_label("This name was used before: count it again").check()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("status")).to_have_text("Counting: S-1")
    counting.kill()
    expect(page.get_by_role("status")).to_have_text("The bench does not run", timeout=LONG_MS)
    assert violations(page) == []


def test_a_sample_is_started_paused_and_thrown_away_by_keyboard_alone_and_never_by_one_press(
    counting: "subprocess.Popen[bytes]", signed_in: Page, served: Served, bench: Path, link: BenchLink
) -> None:
    page = signed_in
    page.goto(f"{served.address}/bench")

    def go_to(text: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if text in page.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).textContent"):
                return
        raise AssertionError(f"{text} is not reached by Tab")

    go_to("Specimen id")
    page.keyboard.type("S-77")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Counting: S-77")
    report = (wait_for(link, lambda state: state.sample is not None)).sample
    assert report is not None
    asked = link.ask("discard_sample", "A.", {"report": report.report})
    assert (asked.done, asked.reason) == (False, "busy")
    expect(page.get_by_text("Throw this sample away")).to_have_count(0)
    go_to("Pause")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Paused: S-77")
    unsure = page.request.post(
        f"{served.address}/bench/act",
        form={"do": "discard", "report": report.report},
        headers={"origin": served.address},
    )
    assert unsure.status == 404
    go_to("Throw this sample away")
    page.keyboard.press("Enter")
    go_to("Nothing of S-77 is reported")
    page.keyboard.press("Space")
    assert violations(page) == []
    go_to("Throw away")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Ready")
    register = (bench.parent / "state").glob("*.jsonl")
    assert any('"discarded"' in path.read_text() for path in register)
    assert not (bench.parent / "state" / "fields-around" / report.report).exists()
    page.goto(f"{served.address}/worklist?state=all")
    expect(page.get_by_role("link", name="S-77")).to_have_count(0)


def test_a_command_for_a_sample_that_is_not_under_way_is_refused_and_one_without_sense_too(
    counting: "subprocess.Popen[bytes]", link: BenchLink
) -> None:
    assert link.ask("finish_sample", "A.", {"report": UNKNOWN}).reason == "no_sample"
    assert link.ask("set_rules", "A.", {"file": "blood.toml"}).reason == "not_allowed"
    for name, arguments in (("format_disk", {}), ("start_sample", {"sample_id": ""}), ("start_sample", {})):
        asked = link.ask(name, "A.", arguments)
        assert not asked.done
        assert asked.reason == "malformed"


def test_the_page_can_be_read_on_a_phone_and_without_scripts_while_nothing_runs(
    page: Page, served: Served, bench: Path
) -> None:
    set_up(page, served)
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844}, locale="es")
    phone = context.new_page()
    phone.goto(f"{served.address}/sign-in")
    phone.locator("input").nth(1).fill(NAME)
    phone.locator("input[type=password]").fill("4711-ada")
    phone.locator("main button").click()
    phone.goto(f"{served.address}/bench")
    expect(phone.get_by_role("status")).to_have_text("El equipo no está en marcha")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_nothing_of_the_bench_is_given_to_anyone_who_is_not_signed_in(page: Page, served: Served) -> None:
    for path in ("/bench", "/bench/state", "/bench/field.jpg"):
        answer = page.request.get(f"{served.address}{path}", max_redirects=0, headers={"accept": "application/json"})
        assert answer.status == 401, path
    answer = page.request.post(
        f"{served.address}/bench/act", form={"do": "start", "sample_id": "S-9"}, headers={"origin": served.address}
    )
    assert answer.status == 401


def test_a_form_with_an_unknown_button_starts_nothing(signed_in: Page, served: Served) -> None:
    for button in ("", "begin"):
        answer = signed_in.request.post(
            f"{served.address}/bench/act",
            form={"do": button, "sample_id": "S-9"},
            headers={"origin": served.address},
            max_redirects=0,
        )
        assert answer.status == 404
        assert "use the buttons of the page" in answer.text()


def test_a_bench_that_never_ran_cannot_be_asked(link: BenchLink) -> None:
    with pytest.raises(BenchAwayError, match="does not run"):
        link.ask("start_sample", "A.", {"sample_id": "S-1"})
    assert not link.watch()
    assert link.state() is None


def test_the_field_is_live_before_a_sample_where_looking_uses_nothing_up(bench: Path, link: BenchLink) -> None:
    text = bench.read_text()
    by_hand = text.replace("dwell_frames = 4", 'path = "keys"')
    assert by_hand != text
    bench.write_text(by_hand)
    with running(bench):
        state = wait_for(link, lambda state: state.doing == "ready" and state.frame > 1)
        assert state.focus is not None
        assert state.focus > state.least_sharpness
        picture = link.picture()
    assert picture is not None
    assert Image.open(io.BytesIO(picture)).width <= LONGEST_SIDE
    assert not (bench.parent / "state" / "live" / "bench.sock").exists()


def test_the_code_of_the_first_administrator_stands_on_the_display_of_the_bench(
    counting: "subprocess.Popen[bytes]", page: Page, served: Served, link: BenchLink
) -> None:
    page.goto(f"{served.address}/set-up")
    expect(page.locator("main")).to_contain_text("stands on the display of the device")
    assert violations(page) == []
    state = wait_for(link, lambda state: "Guiding" in state.screens)
    assert served.code in state.screens["Guiding"]["note"]
    set_up(page, served)
    assert page.request.get(f"{served.address}/set-up").url.endswith("/sign-in"), "it is given once"
