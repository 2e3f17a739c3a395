"""How fast the review page is, how many keys a review takes, and what the page holds in memory: on a copy of a bench.

./tools/demo --white-cells 200 && .venv/bin/python tools/benchmark_page.py --bench out/demo/bench.toml

`tools/benchmark_centre.py` measures the page at the centre.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID, uuid4

import typer
from rich.console import Console
from rich.table import Table

from benchmarking.bench_copy import STATE, copy_of
from benchmarking.key_presses import DrawnReview, review_by_keys
from benchmarking.watched_count import Pair, running, watched_pairs, write_bench
from leukoscope.cli.web import PAGE_ENVIRONMENT, page_arguments
from leukoscope.messages.identity import Identity
from leukoscope.messages.report import decode
from leukoscope.messages.worklist_line import Line
from leukoscope.outbox.cell_pictures import facts_of, keep_pictures, webp_of
from leukoscope.outbox.page_database import PageDatabase
from leukoscope.outbox.record_report import record
from leukoscope.outbox.store import Outbox
from leukoscope.reviewing.desk import desk_of
from leukoscope.specimen.census import CellPicture
from leukoscope.specimen.lifecycle import Life
from leukoscope.system.clock import utc_now
from leukoscope.web.database import Databases
from leukoscope.web.worklist import Search, Worklist, keep_lines

NAME, PIN = "benchmark", "471142"
BARS_MS = {"worklist": 300.0, "gallery": 500.0, "key to new counts": 100.0, "search in 100,000 reports": 200.0}
MEMORY_BAR_MB = 70.0
GALLERY, OPENED = 200, 8
"""Cells of the gallery that is timed, and how many such reports there are."""
IDENTITY = Identity("desk", "demo", "benchmark", "benchmark")
KEYS_A_CELL, KEYS_BESIDE = 1.2, 12
"""A review takes at most so many keys for each cell that is decided, and so many more."""
WATCHED_BAR, WATCHED_PAIRS = 0.95, 8


class Browser:
    """What a browser sends, without drawing what comes back."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookie = ""

    def ask(self, method: str, path: str, body: str = "") -> str:
        """The text of an answer that is no refusal."""
        return self.fetch(path, method, body).decode()

    def fetch(self, path: str, method: str = "GET", body: str = "") -> bytes:
        """What an answer brings that is no refusal."""
        headers = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
        self._connection.request(method, path, body, headers | ({"cookie": self.cookie} if self.cookie else {}))
        answer = self._connection.getresponse()
        content = answer.read()
        self.cookie = answer.headers.get("set-cookie", self.cookie).split(";")[0]
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: {answer.status} {content[:200]!r}")
        return content


def main(
    bench: Annotated[Path, typer.Option(help="A bench that has counted a sample, with pictures of cells.")],
    times: Annotated[int, typer.Option(min=5, help="How often each is asked.")] = 40,
    reports: Annotated[int, typer.Option(min=1, help="Reports in the worklist that is searched.")] = 100_000,
    watch_s: Annotated[float, typer.Option(min=0, help="Of each turn in which a count is watched; 0: none.")] = 15.0,
) -> None:
    """Print the 95th percentile of each, beside its bar."""
    table = Table("what", "p95", "bar")
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_of(bench, Path(folder))
        storage = Path(folder) / STATE
        with Outbox.open(storage / "outbox.sqlite") as outbox:
            with outbox.reading() as sql:
                ((report,),) = sql.execute("SELECT id FROM message WHERE kind = 'report' LIMIT 1")
            large, *others = (_with_many_cells(outbox, storage, report) for _ in range(OPENED))
        with _page(copy) as (page, port, code):
            for what, p95 in _asked(port, code, (report, large), times):
                bar = next(bar for name, bar in BARS_MS.items() if what.startswith(name))
                table.add_row(what, f"{p95:.0f} ms", f"{bar:.0f} ms")
            _add_review(table, review_by_keys(f"http://127.0.0.1:{port}", report, NAME, PIN), report)
            table.add_row(
                "memory of the page with three browsers, after the signature",
                f"{_memory_mb(page.pid):.0f} MB",
                f"{MEMORY_BAR_MB:.0f} MB",
            )
            _open_in_turn(port, (large, *others))
            table.add_row(
                f"the same, after {OPENED} reports of {GALLERY} cells were opened in turn",
                f"{_memory_mb(page.pid):.0f} MB",
                f"{MEMORY_BAR_MB:.0f} MB",
            )
        p95 = _search(Path(folder), reports, times)
        bar = BARS_MS["search in 100,000 reports"]
        table.add_row(f"search in {reports:,} reports", f"{p95:.0f} ms", f"{bar:.0f} ms")
        if watch_s:
            pairs, memory_mb = _watched(Path(folder) / "watched", watch_s)
            what = f"with three browsers watching, against none (median of {len(pairs)} pairs)"
            table.add_row(f"fields/s {what}", _spread([one.fields_per_s for one in pairs]), f"{WATCHED_BAR}")
            processor = [one.fields_per_processor_s for one in pairs]
            table.add_row(f"the same by processor time, {what.partition(',')[0]}", _spread(processor), f"{WATCHED_BAR}")
            table.add_row("memory of the page that they watch", f"{memory_mb:.0f} MB", f"{MEMORY_BAR_MB:.0f} MB")
    Console().print(table)


def _add_review(table: Table, done: DrawnReview, report: str) -> None:
    """Keys beside those of the command line, and what a person waits for."""
    bar = KEYS_A_CELL * done.decided + KEYS_BESIDE
    table.add_row(f"keys until {done.decided} cells are decided and all is signed", f"{done.presses}", f"{bar:.0f}")
    start = f"leukoscope report review {report[:8]} --by {NAME} --opened all"
    typed = len(start) + done.decided * len(" --relabel 100=lymphocyte")
    typed += len(f"\nleukoscope report finalise {report[:8]} --by {NAME}\n")
    table.add_row("the same at the command line", f"{typed}", "")
    table.add_row("first page drawn by a Chromium (median)", f"{done.worklist_ms:.0f} ms", "300 ms")
    table.add_row("gallery drawn by a Chromium (median)", f"{done.gallery_ms:.0f} ms", "500 ms")
    slowest = done.key_ms[int(0.95 * (len(done.key_ms) - 1))] if done.key_ms else float("nan")
    table.add_row(f"key to new counts drawn ({len(done.key_ms)} keys)", f"{slowest:.0f} ms", "100 ms")


def _spread(shares: Sequence[float]) -> str:
    return f"{median(shares):.3f} ({min(shares):.2f}-{max(shares):.2f})"


def _watched(folder: Path, seconds: float) -> tuple[list[Pair], float]:
    """A count that three browsers watch beside one that none does, in pairs of turns; and the page's memory."""
    folder.mkdir()
    bench = write_bench(folder)
    with running(folder) as pid, _page(bench) as (process, port, code):
        first = Browser(port)
        first.ask("POST", "/set-up", urlencode({"code": code, "name": NAME, "secret": PIN}))

        def watch(enough: Callable[[], bool]) -> None:
            mine, shown = Browser(port), 0
            mine.ask("POST", "/sign-in", urlencode({"name": NAME, "secret": PIN}))
            mine.ask("GET", "/bench")
            while not enough():
                frame = json.loads(mine.ask("GET", "/bench/state"))["frame"]
                if frame != shown:
                    mine.fetch(f"/bench/field.jpg?frame={frame}")
                    shown = frame
                time.sleep(1)

        return watched_pairs(folder, pid, watch, seconds, WATCHED_PAIRS), _memory_mb(process.pid)


@contextmanager
def _page(bench: Path) -> Iterator[tuple["subprocess.Popen[str]", int, str]]:
    """The page of a bench as a process, its port and its code."""
    command = [sys.executable, "-m", "leukoscope.web", page_arguments(bench, 0)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | PAGE_ENVIRONMENT) as page:
        try:
            assert page.stdout is not None
            port = int(page.stdout.readline().rstrip("/\n").rpartition(":")[2])
            yield page, port, page.stdout.readline().split()[-1]
        finally:
            page.terminate()


def _with_many_cells(outbox: Outbox, storage: Path, report: str) -> str:
    """Id of a report whose gallery has 200 cells: those of a counted one, over and over, with their pictures."""
    desk = desk_of(outbox, storage, IDENTITY, utc_now)
    counted, kept = decode(desk.find(report).payload), desk.cells(report)
    facts = facts_of(outbox, report)
    if kept is None or not facts:
        raise SystemExit("the cells of this sample were not kept, or have no pictures")
    many = replace(counted, id=str(uuid4()), version=1, life=Life())
    there = [cell.record for cell in kept.cells if cell.record.number in facts]
    cells = [replace(there[number % len(there)], number=number + 1) for number in range(GALLERY)]
    record(many, outbox, IDENTITY, now=utc_now, cells=cells, grounds=kept.grounds)
    pictures = []
    for cell in cells:
        source = there[(cell.number - 1) % len(there)].number
        one, webp = facts[source], webp_of(outbox, report, source)
        assert webp is not None
        pictures.append((cell, CellPicture(webp, one.width, one.height, one.um_per_px, one.outline)))
    keep_pictures(many, pictures, outbox, IDENTITY, now=utc_now)
    return many.id


def _asked(port: int, code: str, reports: tuple[str, str], times: int) -> list[tuple[str, float]]:
    browsers = [Browser(port) for _ in range(3)]
    browsers[0].ask("POST", "/set-up", urlencode({"code": code, "name": NAME, "secret": PIN}))
    for one in browsers[1:]:
        one.ask("POST", "/sign-in", urlencode({"name": NAME, "secret": PIN}))
    path, large = (f"/reports/{one}" for one in reports)
    numbers = [int(one) for one in re.findall(r'data-number="(\d+)"', browsers[0].ask("GET", path))]

    def press(turn: int) -> None:
        body = {"do": "name", "cells": [numbers[turn % len(numbers)]], "class": "lymphocyte"}
        browsers[turn % 3].ask("POST", f"{path}/draft", json.dumps(body))

    return [
        ("worklist", p95_of(lambda turn: browsers[turn % 3].ask("GET", "/worklist"), times)),
        (f"gallery of {GALLERY} cells", p95_of(lambda turn: browsers[turn % 3].ask("GET", large), times)),
        ("key to new counts", _with_undo(p95_of(press, times), browsers, path, times)),
    ]


def _open_in_turn(port: int, reports: Sequence[str]) -> None:
    """Three browsers open each report, look at pictures, press keys and ask for findings."""
    browsers = [Browser(port) for _ in range(3)]
    for one in browsers:
        one.ask("POST", "/sign-in", urlencode({"name": NAME, "secret": PIN}))
    for report in reports:
        path = f"/reports/{report}"
        galleries = [one.ask("GET", path) for one in browsers]
        numbers = [int(one) for one in re.findall(r'data-number="(\d+)"', galleries[0])]
        for turn, number in enumerate(numbers[:6]):
            body = {"do": "name", "cells": [number], "class": "lymphocyte"}
            browsers[turn % 3].ask("POST", f"{path}/draft", json.dumps(body))
            browsers[turn % 3].ask("GET", f"{path}/findings")
        for number in numbers[:40]:
            browsers[1].fetch(f"{path}/cells/{number}.webp")


def _with_undo(took_ms: float, browsers: list[Browser], path: str, times: int) -> float:
    """What was measured, once the keys of it are undone: the review that follows starts from the device's names."""
    for turn in range(times + 1):
        browsers[turn % 3].ask("POST", f"{path}/draft", json.dumps({"do": "undo"}))
    return took_ms


def _search(folder: Path, reports: int, times: int) -> float:
    databases = Databases(lambda: PageDatabase(folder / "many.sqlite"))
    now = datetime.now(UTC)
    lines = [
        Line(str(UUID(int=n)), 1, "clinic", f"scope-{n % 20}", f"S-{n:06d}", "final" if n % 50 else "preliminary",
             (now - timedelta(minutes=n)).isoformat(), 100, n % 7 == 0, 0, n % 30, n % 350 == 0, "live")
        for n in range(reports)
    ]  # fmt: skip
    with databases.get().transaction():
        keep_lines(databases.get(), lines)
    worklist = Worklist(databases, _Nothing())  # type: ignore[arg-type]
    typed = ["4", "42", "s-04", "s-0421", "scope-7", "00000000-0000"]
    return p95_of(lambda turn: worklist.find(Search(typed[turn % len(typed)], "all")), times)


class _Nothing:
    """Nothing new has come."""

    def lines_since(self, cursor: str) -> tuple[Sequence[Line], str]:
        """As in `Reports`."""
        return (), cursor


def p95_of(do: Callable[[int], object], times: int) -> float:
    """Milliseconds, of the 95th of a hundred."""
    do(0)
    took = []
    for turn in range(times):
        began = time.perf_counter()
        do(turn)
        took.append(1000 * (time.perf_counter() - began))
    return sorted(took)[int(0.95 * (len(took) - 1))]


def _memory_mb(pid: int) -> float:
    """Resident, in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) * 1024 / 1e6 if found else float("nan")


if __name__ == "__main__":
    typer.run(main)
