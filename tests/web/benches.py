"""A simulated bench as a process of its own, beside the page."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from leukoscope.messages.live_state import LiveState
from leukoscope.web.bench_link import BenchLink
from tests.commands.test_run import write_bench

SLOWLY = '{ driver = "simulated", dwell_frames = 4, smear = { white_per_1000_rbc = 40.0, seed = 3 } }'


def write_live_bench(folder: Path, white_cells: int = 60) -> Path:
    """Settings of a bench that waits to be asked, and has a page."""
    bench = write_bench(folder, camera=SLOWLY, white_cells=white_cells)
    text = bench.read_text()
    waits = text.replace("after_s = 0.0", "after_s = 10000.0")
    assert waits != text
    bench.write_text(waits + "[web]\n")
    return bench


@contextmanager
def running(bench: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`leukoscope run`; ended with SIGTERM, whatever happens."""
    with (bench.parent / "run.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "leukoscope.cli.main", "run", "--bench", str(bench)], stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(link: BenchLink, seen: Callable[[LiveState], bool], within_s: float = 40.0) -> LiveState:
    """What the bench does, once it does that."""
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        if link.watch() and (state := link.state()) is not None and seen(state):
            return state
        time.sleep(0.1)
    raise AssertionError(f"within {within_s} s it was never seen: {link.state()}")
