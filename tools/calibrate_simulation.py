"""Makes calibration/simulated.toml from blank fields of the simulated microscope, as one would on a bench."""

import hashlib
from pathlib import Path

import numpy as np
import tomli_w

from leukoscope.cameras.simulated import SimulatedCameraSettings
from leukoscope.optics.flatfield import gain_from_blank

BLANKS = 9
ORIGIN = f"# Made by tools/calibrate_simulation.py from {BLANKS} blank fields of the simulated microscope.\n"


def main() -> None:
    """Write the calibration and its gain."""
    folder = Path(__file__).resolve().parents[1] / "calibration"
    settings = SimulatedCameraSettings()
    camera = settings.open()
    gain = gain_from_blank([camera.capture_blank() for _ in range(BLANKS)])
    gain_file = folder / "simulated.npz"
    np.savez_compressed(gain_file, gain=gain)
    microscope = settings.microscope
    record = {
        "id": "simulated",
        "origin": "nominal",
        "optics": "the simulated microscope with its default lamp and objective",
        "um_per_px": microscope.um_per_px,
        "sensor": {"rows": microscope.height, "cols": microscope.width},
        "flat_field": {"path": gain_file.name, "sha256": hashlib.sha256(gain_file.read_bytes()).hexdigest()},
    }
    (folder / "simulated.toml").write_text(ORIGIN + tomli_w.dumps(record), "utf-8")
    print(f"gain from {gain.min():.3f} to {gain.max():.3f}, written to {gain_file.name} and simulated.toml")


if __name__ == "__main__":
    main()
