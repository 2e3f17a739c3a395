"""How much slower a bench counts while three browsers watch it: both in one run, in pairs of turns."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from leukoscope.messages.live_state import LiveState
from leukoscope.web.bench_link import BenchLink

BROWSERS = 3
_START_S = 120.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What a bench did for some seconds."""

    fields: int
    took_s: float
    processor_s: float
    """Of all its threads."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A turn that three browsers watched, beside one that none did."""

    watched: Turn
    alone: Turn

    @property
    def fields_per_s(self) -> float:
        """Watched as a share of alone."""
        return (self.watched.fields / self.watched.took_s) / (self.alone.fields / self.alone.took_s)

    @property
    def fields_per_processor_s(self) -> float:
        """Likewise; what else the machine does changes it little."""
        return (self.watched.fields / self.watched.processor_s) / (self.alone.fields / self.alone.processor_s)


def watched_pairs(
    folder: Path, pid: int, watch: Callable[[Callable[[], bool]], None], seconds: float, pairs: int
) -> list[Pair]:
    """Count with three browsers watching and with none, in turns.

    What else the machine does changes within minutes, and both turns of a pair lie within one: the median of the pairs
    says what the browsers cost, and how far the pairs lie apart says how far it is to be believed.

    Args:
        folder: with bench.toml, whose page is running.
        pid: of the bench.
        watch: what one browser does until what it is given says that it is enough.
        seconds: of each turn.
        pairs: of one turn with browsers and one without.
    """
    link = BenchLink(folder / "state" / "live")
    with _counting(folder, link):
        done = []
        for pair in range(pairs):
            # The kind that comes first changes from pair to pair.
            kinds = (True, False) if pair % 2 else (False, True)
            turns = {watched: _turn(link, pid, watch, seconds, watched=watched) for watched in kinds}
            done.append(Pair(turns[True], turns[False]))
    return done


def _turn(
    link: BenchLink, pid: int, watch: Callable[[Callable[[], bool]], None], seconds: float, *, watched: bool
) -> Turn:
    with _watching(watch, BROWSERS if watched else 0):
        before, processor_s = _state(link), _processor_s(pid)
        time.sleep(seconds)
        after, processor_s = _state(link), _processor_s(pid) - processor_s
    return Turn(_fields(after) - _fields(before), (after.at - before.at).total_seconds(), processor_s)


def _processor_s(pid: int) -> float:
    """User and system time of a process (proc(5))."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


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
def running(folder: Path) -> Iterator[int]:
    """`leukoscope run`, ready; its process id."""
    link = BenchLink(folder / "state" / "live")
    command = [sys.executable, "-m", "leukoscope.cli.main", "run", "--bench", str(folder / "bench.toml")]
    with (folder / "run.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            ends = time.monotonic() + _START_S
            while not link.watch():
                if time.monotonic() > ends or process.poll() is not None:
                    raise SystemExit(f"the bench did not start: {(folder / 'run.log').read_text()[-400:]}")
                time.sleep(0.2)
            yield process.pid
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
