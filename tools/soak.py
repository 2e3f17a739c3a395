"""Counts sample after sample in one process, as fast as it goes, and holds what it uses against limits.

tools/soak.py                                                      20 samples of 20 fields, half a minute
tools/soak.py --samples 1000 --fields 100 --folder /dev/shm/soak   the long form, about an hour

It is the real service on the simulated microscope, without pauses: the stage is followed, cells of overlapping fields
are joined, the small display is drawn (on no glass), and each report goes over MQTT to a broker in a process of its
own. Two things are not as on a device: pictures are small, and each sample is of the same fields,
which are drawn once and kept. The command ends with 1 where a limit is broken.
"""

import gc
import json
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from PIL.Image import Image
from rich.console import Console
from rich.table import Table

from embedded_broker import Address, embedded_broker
from leukoscope.app import open_bench
from leukoscope.cameras import CameraSettings
from leukoscope.cameras.door import Camera
from leukoscope.cameras.simulated import SimulatedCamera, SimulatedCameraSettings
from leukoscope.controls import Action, Event
from leukoscope.displays.panel import Panel
from leukoscope.service import Service
from leukoscope.settings import BenchSettings
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import Source
from leukoscope.upkeep.lifeline import Lifeline

MOST_GROWTH_MB = 5.0
"""Of resident memory, from the end of the warm-up to the end."""
MOST_LINES = 15
"""Log lines per sample: its start, ten tenths of its goal, its end, and some to spare."""
MOST_KB = 200.0
"""Written per sample, without pictures of cells."""
COLUMNS = 10
"""Fields per row of the walk over the slide."""
FRAMES_PER_FIELD = 2
"""In the first the stage was still moving, in the second it rests."""
STEP = 0.55
"""Share of a picture from one field to the next: the rest is seen twice, and the stage is never lost."""
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
models = {{ engine = {{ driver = "onnx", threads = 1 }} }}
reporting = {{ driver = "mqtt", host = "{host}", port = {port}, protocol = "3.1.1" }}

[camera]
driver = "simulated"
path = "keys"
smear = {{ white_per_1000_rbc = 20.0 }}
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
    """By the process, everything (proc(5), wchar): the state folder, and what goes to the broker."""


@dataclass(frozen=True, slots=True)
class Soaked:
    """What came of it."""

    gauges: tuple[Gauge, ...]
    """One after each sample."""
    warm_up: int
    """Samples after which it is measured."""
    counted: Mapping[str, int]
    """What the reports say, added up."""
    waiting: int
    """Reports that were not sent in the end."""
    grown_kb: Mapping[str, float]
    """By what the state folder's files grew per sample, by kind of file; one that is rewritten in place does not."""

    def findings(self) -> list[tuple[str, float, float]]:
        """What was measured, the value, and the most it may be."""
        first, *later = self.gauges[self.warm_up - 1 :]
        last, samples = later[-1], len(later)
        return [
            ("memory grown, MB", last.resident_mb - first.resident_mb, MOST_GROWTH_MB),
            ("file descriptors more", max(one.descriptors for one in later) - first.descriptors, 0),
            ("threads more", max(one.threads for one in later) - first.threads, 0),
            ("log lines per sample", (last.log_lines - first.log_lines) / samples, MOST_LINES),
            ("written per sample, kB", (last.written_kb - first.written_kb) / samples, MOST_KB),
            ("reports missing", len(self.gauges) - self.counted.get("reports", 0), 0),
            ("reports not sent", self.waiting, 0),
        ]

    def facts(self) -> dict[str, float]:
        """What has no limit."""
        return dict(self.counted) | {"memory at the end, MB": self.gauges[-1].resident_mb}


class Lines(logging.Handler):
    """Counts what would be in the journal."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.number = 0

    def emit(self, record: logging.LogRecord) -> None:
        """One more."""
        self.number += 1


class Walk:
    """A camera over a slide that is walked row by row; each field is drawn once and kept."""

    source = Source.SIMULATED

    def __init__(self, settings: CameraSettings, camera: Camera) -> None:
        if not (isinstance(settings, SimulatedCameraSettings) and isinstance(camera, SimulatedCamera)):
            raise TypeError("the walk needs the simulated camera")
        self._camera = camera
        microscope = settings.microscope
        self._step_um = STEP * microscope.width * microscope.um_per_px, STEP * microscope.height * microscope.um_per_px
        self._drawn: list[Frame] = []
        self._frames = self._frames_of_slide = 0

    @property
    def fields(self) -> int:
        """Shown of this slide, each to its end."""
        return self._frames_of_slide // FRAMES_PER_FIELD

    def change_slide(self) -> None:
        """Begin again where the first field lies."""
        self._frames_of_slide = 0

    def capture(self) -> Frame:
        """The field where the stage is."""
        number = self._frames_of_slide // FRAMES_PER_FIELD
        if number == len(self._drawn):
            row, col = divmod(number, COLUMNS)
            across = COLUMNS - 1 - col if row % 2 else col
            self._camera.stage.move_to(across * self._step_um[0], row * self._step_um[1])
            self._drawn.append(self._camera.capture())
        self._frames += 1
        self._frames_of_slide += 1
        return replace(self._drawn[number], number=self._frames, captured_at=datetime.now(UTC))

    def close(self) -> None:
        """Its owner closes the camera."""


class Glass:
    """A display that is drawn for and shows nobody."""

    def __init__(self, size: tuple[int, int], *, monochrome: bool) -> None:
        self.size, self.monochrome = size, monochrome

    def show(self, image: Image) -> None:
        """As bytes on a bus that is not there."""
        image.tobytes()

    def close(self) -> None:
        """Nothing to release."""


GLASSES = (Glass((128, 64), monochrome=True),)
"""As on the bench of systemd/bench.toml."""


class Hand:
    """Starts a sample, finishes it after so many fields, and starts the next."""

    def __init__(self, samples: int, fields: int, walk: Walk, look: Callable[[], None], after: Callable[[int], None]):
        """`look` is called at both ends of a sample, `after` with the number of samples that are finished."""
        self._samples, self._fields, self._walk, self._look, self._after = samples, fields, walk, look, after
        self._counting = self._told = False
        self.done = 0

    def poll(self) -> Event | None:
        """One event per turn at most."""
        if self._told:
            self._told = False
            return None
        event = self._next()
        self._told = event is not None
        return event

    def _next(self) -> Action | None:
        if not self._counting:
            self._look()
            if self.done:
                self._after(self.done)
            if self.done == self._samples:
                return Action.QUIT
            self._walk.change_slide()
            self._counting = True
            return Action.TOGGLE
        if self._walk.fields < self._fields:
            return None
        self._look()
        self._counting, self.done = False, self.done + 1
        return Action.FINISH

    def close(self) -> None:
        """Nothing to release."""


def main(
    samples: Annotated[int, typer.Option(min=5, help="Samples, one after the other.")] = 20,
    fields: Annotated[int, typer.Option(min=1, help="Fields of each.")] = 20,
    folder: Annotated[Path | None, typer.Option(help="Made and left behind; a temporary one unless told.")] = None,
) -> None:
    """Count for long and hold against the limits what it used."""
    if folder is not None:
        folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary, embedded_broker() as broker:
        begun_s = time.monotonic()
        soaked = soak(folder or Path(temporary), samples, fields, broker, tell=_tell)
        took_s = time.monotonic() - begun_s
    table = Table("measured", "value", "limit", "", title=f"{samples} samples of {fields} fields, {took_s:.0f} s")
    broken = False
    for what, value, limit in soaked.findings():
        broken = broken or value > limit
        table.add_row(what, f"{value:.1f}", f"{limit:g}", "BROKEN" if value > limit else "good")
    for kind, grown_kb in sorted(soaked.grown_kb.items(), key=lambda one: -one[1]):
        table.add_row(f"  {kind} grew, kB per sample", f"{grown_kb:.1f}", "", "")
    for what, value in soaked.facts().items():
        table.add_row(what, f"{value:.0f}", "", "")
    Console().print(table)
    raise typer.Exit(int(broken))


def _tell(done: int, now: Gauge) -> None:
    """A run of an hour is watched."""
    if done % 50 == 0:
        facts = f"{now.resident_mb:.1f} MB, {now.descriptors} descriptors, {now.threads} threads"
        print(
            f"{done} samples: {facts}, {now.written_kb / done:.0f} kB written per sample", file=sys.stderr, flush=True
        )


def soak(
    folder: Path,
    samples: int,
    fields: int,
    broker: Address,
    tell: Callable[[int, Gauge], None] = lambda done, now: None,
) -> Soaked:
    """Run the service on a bench in this folder.

    Args:
        folder: where its state lies.
        samples: how many are counted.
        fields: looked at in each.
        broker: takes the reports.
        tell: hears after each sample how many are done and what the process has.

    Raises:
        LeukoscopeError: a part failed.
    """
    bench_file = folder / "bench.toml"
    bench_file.write_text(BENCH.format(folder=folder, host=broker.host, port=broker.port), "utf-8")
    settings = BenchSettings.read(bench_file)
    warm_up = max(LEAST_WARM_UP, round(WARM_UP_SHARE * samples))
    lines, gauges, sizes = Lines(), list[Gauge](), Sizes(settings.storage.folder)

    def after(done: int) -> None:
        gauges.append(gauge(lines.number))
        if done == warm_up:
            sizes.grown.clear()
        tell(done, gauges[-1])

    log = logging.getLogger("leukoscope")
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(lines)
    try:
        with open_bench(settings, folder, Lifeline.of_this_process()) as bench:
            walk = Walk(settings.camera, bench.camera)
            hand = Hand(samples, fields, walk, sizes.look, after)
            bench.ready()
            soaked_bench = replace(bench, camera=walk, controls=(hand,), panel=Panel(GLASSES))
            Service(soaked_bench, folder, sleep=lambda seconds: None).run()
            waiting = bench.outbox.counts().pending
    finally:
        log.removeHandler(lines)
        log.setLevel(level)
    measured = samples - warm_up
    grown_kb = {kind: grown / 1000 / measured for kind, grown in sizes.grown.items()}
    return Soaked(tuple(gauges), warm_up, _counted(settings.storage.folder / "reports"), waiting, grown_kb)


def _counted(reports: Path) -> Counter[str]:
    """What the reports say that was counted, added up."""
    counted = Counter[str]()
    for path in reports.glob("*.json"):
        report = json.loads(path.read_text("utf-8"))
        counted["reports"] += 1
        counted["fields counted"] += report["fields"]["counted"]
        counted["fields refused"] += report["fields"]["rejected"]
        counted["white cells"] += report["white_cells"]["counted"]
    return counted


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
