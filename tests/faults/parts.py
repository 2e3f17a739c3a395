"""Camera, display and button that fail; clocks that jump; little memory and little of a processor."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.campaign import Case, Kind, NotHere
from tests.faults.files import OWN, calibrate
from tests.faults.running import BUTTON, PATIENT_S, SMALL, Device, NotSurvived, Plant

SILENT_S = 2.0
"""The supervisor's patience: the device promises a ping every half second."""
WALL = Path(__file__).with_name("wall_clock.c")
MEMORY_MIB = 512
HOGS = 4
DAY_S = 86400
YEAR_S = 365 * DAY_S


def _supervised(plant: Plant, device: Device) -> None:
    """Wait until it reports, ends by itself, or is silent and ended as systemd does."""
    pings, since_s = 0, time.monotonic()
    while device.status() is None and not plant.finished():
        heard = device.heard().count("WATCHDOG=1")
        if heard != pings:
            pings, since_s = heard, time.monotonic()
        if time.monotonic() - since_s > SILENT_S:
            device.end(signal.SIGABRT)
            return
        time.sleep(0.01)
    if "finished (fault)" in plant.log_text():
        # What was counted is reported; then it leaves by itself and says why.
        until_s = time.monotonic() + PATIENT_S
        while device.status() is None and time.monotonic() < until_s:
            time.sleep(0.01)
    if device.status() is None:
        device.end()
    if device.status() not in (0, 2, -signal.SIGTERM):
        raise NotSurvived(f"ended with {device.status()}: {plant.log_text()[-600:]}")
    plant.listen()


def _broken(name: str, **settings: object) -> Case:
    def case(plant: Plant, chance: Random) -> None:
        calibrate(plant.state / "calibration.toml")
        more = settings.get("more", "")
        plant.write(
            camera=SMALL.format(seed=chance.randint(1, 999), more=more),
            calibration=OWN.format(folder=plant.folder),
            white_cells=4,
            when="moved" if more else "every_frame",
        )
        device = plant.start(name)
        if device.until_ready_or_gone():
            _supervised(plant, device)
        plant.listen()
        plant.works()

    return case


def _bouncing(plant: Plant, chance: Random) -> None:
    device = plant.start("button bounces")
    device.until(plant.finished, "finished the sample of one press")
    device.end()
    begun = (plant.state / "samples.jsonl").read_text().count('"begun"')
    if begun != 1:
        raise NotSurvived(f"one press began {begun} samples")
    plant.write()
    plant.works()


def _stuck(plant: Plant, chance: Random) -> None:
    plant.write(controls=BUTTON, white_cells=5000)
    device = plant.start("impatient", "button stuck")
    device.until(lambda: "stuck or shorted" in plant.log_text(), "saying that the button is stuck")
    device.end()
    if len(plant.finished()) != 1:
        raise NotSurvived(f"the sample under way was not reported: {plant.log_text()[-600:]}")
    plant.write()
    plant.works()


def wrong_clock(folder: Path) -> Path:
    """A library that makes the wall clock wrong, for LD_PRELOAD.

    Raises:
        NotHere: there is no C compiler.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise NotHere("needs a C compiler: apt-get install gcc")
    library = folder / "wall_clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, WALL], check=True)
    return library


def _clock(first_s: int, *then_s: int) -> Case:
    """A wall clock that is off by so much, and then by something else, again and again."""

    def case(plant: Plant, chance: Random) -> None:
        library = wrong_clock(plant.folder)
        plant.works()
        wall = plant.folder / "clock"
        wall.write_text(str(first_s))
        plant.write(white_cells=6)
        before = plant.finished()
        device = plant.start(environ=(("LD_PRELOAD", str(library)), ("WALL_CLOCK", str(wall))))
        device.until_ready()
        device.until(lambda: (plant.state / "samples.jsonl").read_text().count('"begun"') > 1, "began a sample")
        for off_s in then_s:
            wall.write_text(str(off_s))
            time.sleep(0.1)
        device.until(lambda: plant.finished() - before, "finished a report")
        if status := device.end():
            raise NotSurvived(f"ended with {status}: {plant.log_text()[-600:]}")
        plant.write()
        plant.works()
        # What was pruned could not be reviewed any more.
        if pruned := plant.finished() - plant.in_outbox():
            raise NotSurvived(f"{len(pruned)} reports left the outbox because of a clock")

    return case


def _little(**limits: Any) -> Case:
    def case(plant: Plant, chance: Random) -> None:
        plant.write(white_cells=4)
        device = plant.start(**limits)
        plant.restarts_s.append(device.until_ready())
        device.until(plant.finished, "finished a report")
        device.end()
        plant.write()
        plant.works()

    return case


def _starved(plant: Plant, chance: Random) -> None:
    hogs = [
        subprocess.Popen([sys.executable, "-c", "import os\nos.sched_setaffinity(0, {0})\nwhile True: pass"])
        for _ in range(HOGS)
    ]
    try:
        _little(processor=0)(plant, chance)
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def _each(*cases: Case) -> Callable[[int], Iterator[Case]]:
    def some(wanted: int) -> Iterator[Case]:
        for number in range(max(wanted, 1)):
            yield cases[number % len(cases)]

    return some


CAMERA = tuple(
    Kind(name, _each(_broken(name)))
    for name in (
        "camera hangs",
        "camera times out",
        "camera unplugged",
        "camera wrong size",
        "camera black",
        "camera saturated",
    )
)
TORN = Kind("camera torn", _each(_broken("camera torn", more=", dwell_frames = 3")))
KINDS = (
    *CAMERA,
    TORN,
    Kind("display errors", _each(_broken("display errors"))),
    Kind("display absent", _each(_broken("display absent"))),
    Kind("button bounces", _each(_bouncing), {"controls": BUTTON}),
    Kind("button stuck", _each(_stuck)),
    Kind("clock years off", _each(_clock(-10 * YEAR_S), _clock(10 * YEAR_S))),
    Kind("clock jumps in a sample", _each(_clock(0, -5 * YEAR_S), _clock(-10 * YEAR_S, 10 * YEAR_S))),
    Kind("clock steps", _each(_clock(0, 3600, -3600, 3600, 0), _clock(-1, 1, -1, 2 * DAY_S, 0))),
    Kind(f"memory {MEMORY_MIB} MB", _each(_little(data_mib=MEMORY_MIB))),
    Kind(f"processor shared by {HOGS + 1}", _each(_starved)),
)
