"""Counts sample after sample in one process, as fast as it goes, and holds what it uses against limits.

tools/soak.py                                 20 samples of 20 fields, about a minute
tools/soak.py --samples 1000 --fields 100     the long form, hours

It is the real service on the simulated microscope, with small pictures and without pauses. The command ends with 1
where a limit is broken.
"""

import gc
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from leukoscope.app import open_bench
from leukoscope.controls import Action, Event
from leukoscope.displays.panel import Panel
from leukoscope.service import Service
from leukoscope.settings import BenchSettings
from leukoscope.upkeep.lifeline import Lifeline

MOST_GROWTH_MB = 5.0
"""Of resident memory, from the end of the warm-up to the end."""
MOST_LINES = 15
"""Log lines per sample: its start, ten tenths of its goal, its end, and some to spare."""
MOST_KB = 200.0
"""Written per sample, without pictures of cells."""
BACK_AFTER = 4
"""Steps of the stage; a simulated slide remembers where it was looked at, and must not be what grows."""
WARM_UP_SHARE = 0.2
LEAST_WARM_UP = 3
"""Samples; runtimes and caches fill up during the first."""
BENCH = """
site = "soak"
device = "test"
calibration = {{ um_per_px = 0.127 }}
displays = [{{ driver = "snapshot", folder = "{folder}/screens", keep = 1 }}]
controls = [{{ driver = "scripted", presses = [] }}]
storage = {{ folder = "{folder}/state" }}
counting = {{ white_cells = 10000 }}
reporting = {{ driver = "folder", folder = "{folder}/delivered" }}
new_field = {{ when = "every_frame" }}

[camera]
driver = "simulated"
path = "keys"
smear = {{ white_per_1000_rbc = 60.0 }}
microscope = {{ width = 320, height = 240 }}
"""


@dataclass(frozen=True, slots=True)
class Gauge:
    """What the process has and has done until a moment."""

    resident_mb: float
    descriptors: int
    threads: int
    log_lines: int
    written_kb: float
    """By the process, everything (proc(5), wchar): the state folder, and the copy of each report that is delivered."""


@dataclass(frozen=True, slots=True)
class Soaked:
    """What came of it."""

    samples: int
    after_warm_up: Gauge
    at_end: Gauge
    measured_samples: int
    """From the warm-up to the end."""
    most_descriptors: int
    most_threads: int
    grown_kb: dict[str, float]
    """By what the state folder's files grew per sample, by kind of file; one that is rewritten in place does not."""

    def findings(self) -> list[tuple[str, float, float]]:
        """What was measured, the value, and the most it may be."""
        first, last, samples = self.after_warm_up, self.at_end, self.measured_samples
        return [
            ("memory grown, MB", last.resident_mb - first.resident_mb, MOST_GROWTH_MB),
            ("file descriptors more", self.most_descriptors - first.descriptors, 0),
            ("threads more", self.most_threads - first.threads, 0),
            ("log lines per sample", (last.log_lines - first.log_lines) / samples, MOST_LINES),
            ("written per sample, kB", (last.written_kb - first.written_kb) / samples, MOST_KB),
        ]


class Lines(logging.Handler):
    """Counts what would be in the journal."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.number = 0

    def emit(self, record: logging.LogRecord) -> None:
        """One more."""
        self.number += 1


class Hand:
    """Starts a sample, moves the slide to and fro, finishes after so many fields, and starts the next."""

    def __init__(self, samples: int, fields: int, look: Callable[[], None], after: Callable[[int], None]) -> None:
        """`look` is called at each turn, `after` with the number of samples that are finished."""
        self._samples, self._fields, self._look, self._after = samples, fields, look, after
        self._turns = self._steps = self.done = 0
        self._told = False

    def poll(self) -> Event | None:
        """One event per turn at most."""
        if self._told:
            self._told = False
            return None
        self._look()
        event = self._next()
        self._told = event is not None
        return event

    def _next(self) -> Action | None:
        turn, self._turns = self._turns, self._turns + 1
        if turn == 0:
            if self.done:
                self._after(self.done)
            return Action.QUIT if self.done == self._samples else Action.TOGGLE
        if turn < self._fields:
            self._steps += 1
            return Action.STAGE_RIGHT if (self._steps - 1) // BACK_AFTER % 2 else Action.STAGE_LEFT
        self._turns, self.done = 0, self.done + 1
        return Action.FINISH

    def close(self) -> None:
        """Nothing to release."""


def main(
    samples: Annotated[int, typer.Option(min=5, help="Samples, one after the other.")] = 20,
    fields: Annotated[int, typer.Option(min=1, help="Fields of each.")] = 20,
) -> None:
    """Count for long and hold against the limits what it used."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        soaked = soak(Path(folder), samples, fields)
    table = Table("measured", "value", "limit", "", title=f"{samples} samples of {fields} fields")
    broken = False
    for what, value, limit in soaked.findings():
        broken = broken or value > limit
        table.add_row(what, f"{value:.1f}", f"{limit:g}", "BROKEN" if value > limit else "good")
    for kind, grown_kb in sorted(soaked.grown_kb.items(), key=lambda one: -one[1]):
        table.add_row(f"  {kind} grew, kB per sample", f"{grown_kb:.1f}", "", "")
    table.add_row("memory at the end, MB", f"{soaked.at_end.resident_mb:.0f}", "", "")
    Console().print(table)
    raise typer.Exit(int(broken))


def soak(folder: Path, samples: int, fields: int) -> Soaked:
    """Run the service on a bench in this folder.

    Raises:
        LeukoscopeError: a part failed.
    """
    bench_file = folder / "bench.toml"
    bench_file.write_text(BENCH.format(folder=folder), "utf-8")
    settings = BenchSettings.read(bench_file)
    warm_up = max(LEAST_WARM_UP, round(WARM_UP_SHARE * samples))
    lines, gauges, sizes = Lines(), dict[int, Gauge](), Sizes(settings.storage.folder)
    most = Counter[str]()

    def after(done: int) -> None:
        if done in (warm_up, samples):
            gauges[done] = gauge(lines.number)
        if done == warm_up:
            sizes.grown.clear()
        if done >= warm_up:
            most["descriptors"] = max(most["descriptors"], _descriptors())
            most["threads"] = max(most["threads"], _threads())

    log = logging.getLogger("leukoscope")
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(lines)
    try:
        with open_bench(settings, folder, Lifeline.of_this_process()) as bench:
            hand = Hand(samples, fields, sizes.look, after)
            bench.ready()
            Service(replace(bench, controls=(hand,), panel=Panel(())), folder, sleep=lambda seconds: None).run()
    finally:
        log.removeHandler(lines)
        log.setLevel(level)
    measured = samples - warm_up
    grown_kb = {kind: grown / 1000 / measured for kind, grown in sizes.grown.items()}
    return Soaked(samples, gauges[warm_up], gauges[samples], measured, most["descriptors"], most["threads"], grown_kb)


class Sizes:
    """How the files of a folder grow, by kind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, int] = {}
        self.grown: Counter[str] = Counter()
        """Bytes by kind of file."""

    def look(self) -> None:
        """Add what was added since the last look."""
        found = {path: path.stat().st_size for path in self._folder.rglob("*") if path.is_file()}
        for path, size in found.items():
            more = size - self._known.get(path, 0)
            if more > 0:
                place = path.relative_to(self._folder)
                self.grown[f"{place.parts[0]}/" if len(place.parts) > 1 else place.name] += more
        self._known = found


def gauge(log_lines: int) -> Gauge:
    """What this process has now (Linux)."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    counts = dict(line.split(": ") for line in Path("/proc/self/io").read_text("ascii").splitlines())
    return Gauge(
        resident_mb=pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        descriptors=_descriptors(),
        threads=_threads(),
        log_lines=log_lines,
        written_kb=int(counts["wchar"]) / 1000,
    )


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


if __name__ == "__main__":
    typer.run(main)
