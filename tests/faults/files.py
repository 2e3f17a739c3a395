"""Every file that a device keeps, spoilt before a start; and kills between the steps that replace some of them."""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import numpy as np

from leukoscope.cameras.simulated import SimulatedCamera, SimulatedCameraSettings
from leukoscope.optics.calibration_record import CalibrationRecord, FlatLight, SensorSize
from leukoscope.optics.calibration_writing import grid_file, named, picture_file, put_in_force
from leukoscope.simulation.microscope import MicroscopeSettings
from tests.bundles_installed.devices import real_archive
from tests.bundles_installed.workshop import PUBLIC
from tests.commands.command_line import leukoscope
from tests.faults.campaign import Case, Kind
from tests.faults.nursery import ROOT
from tests.faults.running import NotSurvived, Plant

STARTS = 5
"""As often as systemd starts a device that fails, and more than a bundle is tried."""
OWN = '{{ file = "{folder}/state/calibration.toml" }}'
WAYS = ("emptied", "truncated", "zeroed", "bit flipped")


def calibrate(path: Path, calibration_id: str = "campaign.1") -> None:
    """Put a measured calibration of the small simulated camera in force."""
    camera = SimulatedCamera(SimulatedCameraSettings(microscope=MicroscopeSettings(width=320, height=240)))
    glass = camera.capture_blank()
    light, light_file = named(path, "flat", ".npz", grid_file("light", glass.astype(np.float32)))
    shown, shown_file = named(path, "flat", ".png", picture_file(glass))
    now = datetime.now(UTC)
    record = CalibrationRecord(
        id=calibration_id,
        origin="measured",
        optics="simulated",
        um_per_px=0.127,
        sensor=SensorSize(rows=240, cols=320),
        flat=FlatLight(
            light=light,
            unevenness_before=0.2,
            unevenness_after=0.004,
            by="campaign",
            at=now,
            valid_until=now.replace(year=now.year + 1),
            pictures=9,
            picture=shown,
        ),
    )
    put_in_force(path, record, {**light_file, **shown_file})


class Used:
    """A device that has been used: reports, a sample that was cut short, a bundle and a calibration of its own."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="used-"))
        self.log = ""
        self.files = 0
        """Known once the first was given away."""

    def give(self, plant: Plant) -> list[Path]:
        """Its state for another bench; the files, by their place."""
        plant.write(
            calibration=OWN.format(folder=plant.folder),
            extra=f'models = {{ keys = ["{PUBLIC}"] }}\n',
        )
        template = self._folder / "state"
        if not template.exists():
            self._use(plant)
            shutil.copytree(plant.state, template)
            self.log = plant.log_text()
        shutil.rmtree(plant.state)
        shutil.copytree(template, plant.state)
        plant.log.write_text(self.log)
        places = sorted(path.relative_to(template) for path in template.rglob("*") if path.is_file())
        self.files = len(places)
        return places

    def _use(self, plant: Plant) -> None:
        calibrate(plant.state / "calibration.toml")
        archive = real_archive(self._folder, "9.0.0")
        outcome = leukoscope("bundle", "install", archive, "--bench", plant.bench)
        if outcome.code:
            raise NotSurvived(f"the bundle was not installed: {outcome.err}")
        for _ in range(2):
            plant.works()
        device = plant.start("eager")
        device.until_ready()
        device.until(lambda: _journal_bytes(plant) > 700, "counted a field of another sample")
        device.end(signal.SIGKILL)

    def forget(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _journal_bytes(plant: Plant) -> int:
    return sum(path.stat().st_size for path in (plant.state / "in-progress").glob("*.events"))


def spoil(path: Path, way: str, chance: Random) -> None:
    """Do to a file what power cuts and dying cards do."""
    content = bytearray(path.read_bytes())
    if way == "emptied":
        content.clear()
    elif way == "truncated":
        del content[len(content) // 2 :]
    elif way == "zeroed":
        content[:] = bytes(len(content))
    elif content:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def _spoilt(used: Used, number: int, way: str) -> Case:
    def case(plant: Plant, chance: Random) -> None:
        places = used.give(plant)
        place = places[number % len(places)]
        sound = (plant.state / place).read_bytes()
        spoil(plant.state / place, way, chance)
        plant.about = f"{place} {way}"
        _starts(plant, plant.state / place, sound)

    return case


def _starts(plant: Plant, spoilt: Path, sound: bytes) -> None:
    for _ in range(STARTS):
        device = plant.start()
        if device.until_ready_or_gone():
            device.until_one_more()
            device.end()
            break
        plant.listen()
    else:
        # It is refused by name; the technician puts it back.
        spoilt.write_bytes(sound)
    plant.works()


def _files(wanted: int) -> Iterator[Case]:
    used = Used()
    try:
        if wanted:
            # Most devices keep some thirty files; a prime number of steps meets many of them, and every way.
            for number in range(wanted):
                yield _spoilt(used, number * 7, WAYS[(number + number // 4) % 4])
        number = 0
        while not wanted and number < max(1, used.files) * len(WAYS):
            yield _spoilt(used, number // len(WAYS), WAYS[number % len(WAYS)])
            number += 1
    finally:
        used.forget()


def _script(module: str, of: str) -> Case:
    """A script that kills work at each of its steps and prints `<work>: <n> steps`."""

    def case(plant: Plant, chance: Random) -> int:
        paths = f"{ROOT}:{ROOT / 'device'}:{ROOT / 'tools'}"
        began_s = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", module, str(plant.folder)],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=False,
        )
        # What a fork had still to print is printed by it too.
        steps = dict(re.findall(r"^([a-z ]+): (\d+) steps$", done.stdout, re.MULTILINE))
        if done.returncode or not steps:
            raise NotSurvived(f"{of}, after {time.monotonic() - began_s:.0f} s: {done.stderr[-600:]}")
        return sum(map(int, steps.values()))

    return case


def _bundles(wanted: int) -> Iterator[Case]:
    yield _script("tests.bundles_installed.killed", "switching bundles")


def _calibrations(wanted: int) -> Iterator[Case]:
    yield _script("tests.faults.calibrations", "writing a calibration")


FILES = Kind("a file of the state spoilt", _files)
BUNDLES = Kind("kill -9 in a bundle switch", _bundles)
CALIBRATIONS = Kind("kill -9 in a calibration", _calibrations)
