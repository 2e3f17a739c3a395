"""What the sensor saw, and what is left of it once the light path is corrected."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""An RGB picture, shape (rows, cols, 3)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture as a camera delivered it."""

    pixels: Pixels
    """RGB, shape (rows, cols, 3), uint8."""
    number: int
    """Counts up from 1 since the camera was opened."""
    captured_at: datetime
    """Timezone-aware, UTC."""
    source: str
    """Which part made it: "simulated", "replay", "v4l2:0", "picamera"."""
    label: str = ""
    """A name for people: the file replayed, the stage position."""
    exposure_us: int | None = None
    """Exposure time that was really used, in microseconds; None where the camera cannot tell."""
    analogue_gain: float | None = None
    """Sensor gain that was really used; None where the camera cannot tell."""
    colour_gains: tuple[float, float] | None = None
    """White-balance gains (red, blue) that were really used; None where the camera cannot tell."""
    preview: Pixels | None = None
    """The whole field of the same instant in few pixels, for motion and focus; None where the camera makes none."""


@dataclass(frozen=True, slots=True)
class Micrograph:
    """A frame with even light and a known scale: the only thing a segmenter accepts."""

    pixels: Pixels
    """RGB, shape (rows, cols, 3), uint8."""
    um_per_px: float
    """Micrometres of specimen per pixel."""
    frame: Frame
    """Where it came from."""
    calibration_id: str
    """Which calibration corrected it."""
