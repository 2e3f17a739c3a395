"""A disk that is full at any write, and one that has become read-only: real ones, in memory."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from tests.faults.campaign import Case, Kind, NotHere
from tests.faults.running import NotSurvived, Plant

SMALLEST_KIB, LARGEST_KIB = 4, 700
"""From not even a register to some samples."""
FULL_S = 40.0


@contextmanager
def _disk(plant: Plant, kib: int) -> Iterator[None]:
    made = _mount("-t", "tmpfs", "-o", f"size={kib}k", "none", str(plant.state))
    if made.returncode:
        raise NotHere(f"needs the right to mount: {made.stderr.strip()}")
    try:
        yield
    finally:
        # The judge looks at what was on it.
        plant.close()
        saved = plant.state.with_name("saved")
        subprocess.run(["cp", "-a", plant.state, saved], check=True)
        subprocess.run(["umount", str(plant.state)], check=True)
        plant.state.rmdir()
        saved.rename(plant.state)


def _mount(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mount", *options], capture_output=True, text=True, check=False)


def _remount(plant: Plant, options: str) -> None:
    done = _mount("-o", f"remount,{options}", str(plant.state))
    if done.returncode:
        raise NotHere(done.stderr.strip())


def _full_at(kib: int) -> Case:
    def case(plant: Plant, chance: Random) -> None:
        with _disk(plant, kib):
            device = plant.start("eager")
            alive = device.until_ready_or_gone()
            until_s = time.monotonic() + FULL_S
            while alive and device.status() is None and _free(plant) > 0 and time.monotonic() < until_s:
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 0.8))
            if device.status() not in (None, 2):
                raise NotSurvived(f"ended with {device.status()}: {plant.log_text()[-600:]}")
            _remount(plant, "size=64m")
            if device.status() is None:
                before = plant.finished()
                device.until(lambda: plant.finished() - before, "finished a report once there was room")
                device.end()
            plant.listen()
            plant.works()

    return case


def _free(plant: Plant) -> int:
    return os.statvfs(plant.state).f_bavail


def _read_only(plant: Plant, chance: Random) -> None:
    with _disk(plant, 65536):
        plant.works()
        _remount(plant, "ro")
        device = plant.start("eager")
        if device.until_ready_or_gone():
            time.sleep(1.0)
            device.end()
        plant.listen()
        _remount(plant, "rw")
        plant.works()


def _full(wanted: int) -> Iterator[Case]:
    step = (LARGEST_KIB - SMALLEST_KIB) / max(wanted, 1)
    for number in range(wanted):
        # Whole pages, or the disk would be as large as the next one.
        yield _full_at(4 * round((SMALLEST_KIB + (number + 0.5) * step) / 4))


def _once(wanted: int) -> Iterator[Case]:
    yield _read_only


KINDS = (Kind("disk full", _full), Kind("disk read-only", _once))
