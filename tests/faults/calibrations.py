"""Kills the writing of a calibration with -9 at each of its steps; the old one or the new one is in force; a script."""

import shutil
import sys
from pathlib import Path

from leukoscope.optics.calibration_settings import CalibrationSettings
from tests.bundles_installed.killed import ENDED, KILLED, apart
from tests.faults.files import calibrate


def main(folder: Path) -> None:
    """Print how many steps there are, after all of them were survived."""
    whole, place = folder / "calibrated", folder / "calibrating"
    whole.mkdir()
    calibrate(whole / "own.toml", "old")
    for step in range(1, 1000):
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(whole, place)
        outcome = apart(lambda: calibrate(place / "own.toml", "new"), kill_at=step, within=place)
        assert outcome in (ENDED, KILLED), f"step {step}: {outcome}"
        found = CalibrationSettings(file="own.toml").open(place)
        assert found.id == "new" if outcome == ENDED else found.id in ("old", "new"), f"step {step}: {found.id}"
        # Whatever was left lying about, the same now goes through.
        calibrate(place / "own.toml", "newer")
        assert CalibrationSettings(file="own.toml").open(place).id == "newer"
        if outcome == ENDED:
            print(f"calibrating: {step - 1} steps")
            return
    raise AssertionError("it never ends")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
