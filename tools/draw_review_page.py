"""Draws the review page for the README: a Chromium signs a copy of a counted sample, and is photographed meanwhile.

    ./tools/demo && .venv/bin/python tools/draw_review_page.py --bench out/demo/bench.toml

It needs what the tests need: playwright and Debian's chromium.
"""

import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from benchmarking.bench_copy import copy_of
from benchmarking.key_presses import ARGUMENTS, set_up
from benchmarking.watched_count import running, write_bench
from leukoscope.cli.web import page_arguments

NAME, PIN = "Dr. Example", "4711-example"


def main(
    bench: Annotated[Path, typer.Option(help="A bench that has counted a simulated sample, with pictures of cells.")],
    to: Annotated[Path, typer.Option(help="The folder of the pictures.")] = Path("device"),
) -> None:
    """Write a page-*.png of each page, of a phone and of a bench that counts, and page-review.webp of a review."""
    with tempfile.TemporaryDirectory() as folder:
        _photograph_bench(Path(folder), to)
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_of(bench, Path(folder))
        with subprocess.Popen(
            [sys.executable, "-m", "leukoscope.web", page_arguments(copy, 0)], stdout=subprocess.PIPE, text=True
        ) as served:
            assert served.stdout is not None
            address = re.sub(r"The page is at |/\n", "", served.stdout.readline())
            code = served.stdout.readline().split()[-1]
            try:
                _photograph(address, code, to)
            finally:
                served.terminate()


def _photograph_bench(folder: Path, to: Path) -> None:
    """The technician's page while a simulated slide is counted."""
    bench = write_bench(folder)
    with running(folder), sync_playwright() as playwright:
        command = [sys.executable, "-m", "leukoscope.web", page_arguments(bench, 0)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
            assert served.stdout is not None
            address = re.sub(r"The page is at |/\n", "", served.stdout.readline())
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
            try:
                page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB")
                page.set_default_timeout(180_000)
                set_up(page, address, served.stdout.readline().split()[-1], NAME, PIN)
                page.goto(f"{address}/bench")
                page.get_by_label("Specimen id").fill("S-1204")
                page.get_by_role("button", name="Start").click()
                expect(page.locator("tbody tr").first).to_be_visible(timeout=180_000)
                expect(page.locator("#field")).to_be_visible()
                page.wait_for_timeout(20_000)
                _write(page, to / "page-bench.png")
            finally:
                browser.close()
                served.terminate()


def _photograph(address: str, code: str, to: Path) -> None:
    # A machine that is busy with other things is given time.
    expect.set_options(timeout=180_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB")
        page.set_default_timeout(180_000)
        set_up(page, address, code, NAME, PIN)
        _write(page, to / "page-worklist.png")
        page.locator("tbody a").first.click()
        expect(page.locator("#counts table")).to_be_visible()
        page.wait_for_timeout(1500)
        _write(page, to / "page-review.png")
        page.keyboard.press("Enter")
        expect(page.locator("dialog")).to_contain_text("the device said")
        page.wait_for_timeout(500)
        _write(page, to / "page-cell.png")
        page.keyboard.press("Escape")
        _review(page, to / "page-review.webp")
        report = page.url
        for name in ("trend", "teaching", "upkeep", "administration"):
            page.goto(f"{address}/{name}")
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(1000)
            _write(page, to / f"page-{name}.png")
        page.goto(report)
        page.set_viewport_size({"width": 390, "height": 844})
        page.evaluate("window.scrollTo(0, 0)")
        page.wait_for_timeout(300)
        _write(page, to / "page-phone.png")
        browser.close()


def _review(page: Page, file: Path) -> None:
    """Every unsure cell is named, every class looked at, and the report signed; a picture every few keys."""
    frames = [_frame(page)]
    pressed = 0
    while page.locator(".cell.awaits").count():
        number = page.locator(".cell:focus").get_attribute("data-number")
        page.keyboard.press("l" if pressed % 3 else " ")
        expect(page.locator(f'.cell[data-number="{number}"].checked')).to_be_visible()
        pressed += 1
        if pressed % 3 == 0:
            frames.append(_frame(page))
    for group in page.locator(".group").all():
        group.locator(".cell").first.scroll_into_view_if_needed()
        expect(group.locator(".cell[data-seen], .cell.checked").first).to_be_visible()
        frames.append(_frame(page))
    expect(page.locator("#left")).not_to_contain_text("not opened")
    page.keyboard.press("s")
    page.keyboard.type(PIN)
    frames.append(_frame(page))
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("final")
    frames.append(_frame(page))
    _write(page, file.with_name("page-signed.png"))
    first, *rest = frames
    shown_ms = [700] * len(rest) + [3000]
    first.save(file, save_all=True, append_images=rest, duration=shown_ms, loop=0, quality=50, method=6)
    print(f"{pressed} cells decided by {pressed} keys; {len(PIN) + 2} more sign; {file}")


def _frame(page: Page) -> Image.Image:
    with Image.open(io.BytesIO(page.screenshot())) as taken:
        return taken.convert("RGB").resize((640, 400), Image.Resampling.LANCZOS)


def _write(page: Page, file: Path) -> None:
    """A picture of 256 colours is half as large, and looks the same."""
    with Image.open(io.BytesIO(page.screenshot())) as taken:
        taken.convert("RGB").quantize(256).save(file, optimize=True)


if __name__ == "__main__":
    typer.run(main)
