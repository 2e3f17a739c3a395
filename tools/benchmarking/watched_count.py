"""How much slower a bench counts while three browsers watch it: both in one run, in pairs of turns."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import tomli_w

from leukoscope.messages.live_state import LiveState
from leukoscope.web.bench_link import BenchLink

BROWSERS = 3
_START_S = 120.0


def watched_shares(
    folder: Path, watch: Callable[[Callable[[], bool]], None], seconds: float, pairs: int
) -> list[float]:
    """Fields counted per second with three browsers watching, as a share of those with none, of each pair of turns.

    What else the machine does changes within minutes, and both turns of a pair lie within one: the median of the pairs
    says what the browsers cost, and how far the pairs lie apart says how far it is to be believed.

    Args:
        folder: with bench.toml, whose page is running.
        watch: what one browser does until what it is given says that it is enough.
        seconds: of each turn.
        pairs: of one turn with browsers and one without.
    """
    link = BenchLink(folder / "state" / "live")
    with _counting(folder, link):
        shares = []
        for pair in range(pairs):
            # The kind that comes first changes from pair to pair.
            kinds = (True, False) if pair % 2 else (False, True)
            rates = {watched: _rate(link, watch, seconds, watched=watched) for watched in kinds}
            shares.append(rates[True] / rates[False])
    return shares


def _rate(link: BenchLink, watch: Callable[[Callable[[], bool]], None], seconds: float, *, watched: bool) -> float:
    """Fields counted per second of one turn."""
    with _watching(watch, BROWSERS if watched else 0):
        before = _state(link)
        time.sleep(seconds)
        after = _state(link)
    return (_fields(after) - _fields(before)) / (after.at - before.at).total_seconds()


def write_bench(folder: Path) -> Path:
    """Settings of a simulated bench that counts for as long as it is let."""
    path = folder / "bench.toml"
    settings = {
        "site": "bench",
        "device": "watched",
        "camera": {"driver": "simulated", "dwell_frames": 2, "smear": {"seed": 3}},
        "calibration": {"file": "simulated.toml"},
        "displays": [{"driver": "snapshot", "folder": str(folder / "screens"), "keep": 2}],
        "controls": [{"driver": "scripted", "presses": [{"action": "toggle", "after_s": 10_000.0}]}],
        "storage": {"folder": str(folder / "state")},
        "counting": {"white_cells": 10_000},
        "reporting": {"driver": "none"},
        "web": {},
    }
    path.write_text(tomli_w.dumps(settings), "utf-8")
    return path


@contextmanager
def running(folder: Path) -> Iterator[BenchLink]:
    """`leukoscope run`, ready."""
    link = BenchLink(folder / "state" / "live")
    command = [sys.executable, "-m", "leukoscope.cli.main", "run", "--bench", str(folder / "bench.toml")]
    with (folder / "run.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            ends = time.monotonic() + _START_S
            while not link.watch():
                if time.monotonic() > ends or process.poll() is not None:
                    raise SystemExit(f"the bench did not start: {(folder / 'run.log').read_text()[-400:]}")
                time.sleep(0.2)
            yield link
        finally:
            process.terminate()


@contextmanager
def _counting(folder: Path, link: BenchLink) -> Iterator[None]:
    asked = link.ask("start_sample", "benchmark", {"sample_id": f"B-{time.time():.0f}"})
    if not asked.done and asked.reason != "no_answer":
        raise SystemExit(asked.text)
    ends = time.monotonic() + _START_S
    while (state := link.state()) is None or "Counting" not in state.screens or _fields(state) < 3:
        if time.monotonic() > ends:
            raise SystemExit(f"nothing is counted: {(folder / 'run.log').read_text()[-400:]}")
        time.sleep(0.2)
    yield


@contextmanager
def _watching(watch: Callable[[Callable[[], bool]], None], browsers: int) -> Iterator[None]:
    over = threading.Event()
    threads = [threading.Thread(target=watch, args=(over.is_set,)) for _ in range(browsers)]
    for one in threads:
        one.start()
    # Watching lasts for some seconds after the last browser has gone.
    time.sleep(1.0 if browsers else 11.0)
    try:
        yield
    finally:
        over.set()
        for one in threads:
            one.join()


def _state(link: BenchLink) -> LiveState:
    found = link.state()
    if found is None:
        raise SystemExit("the bench does not say what it does")
    return found


def _fields(state: LiveState) -> int:
    return int(state.screens["Counting"]["fields_counted"]) if "Counting" in state.screens else 0
