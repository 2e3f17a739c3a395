"""White balance: empty glass is grey, whatever the lamp's colour."""

import cv2
import numpy as np

from leukoscope.errors import CalibrationError
from leukoscope.optics.blank import Light

MAX_GAIN = 3.0
"""A colour that must be amplified more is too dark to be balanced here: its noise would be amplified too."""


def white_gains(light: Light) -> tuple[float, float, float]:
    """Multipliers of red, green and blue that make the mean of this light grey; green keeps its brightness.

    Raises:
        CalibrationError: the light is so far from white that the lamp or the camera must be set first.
    """
    red, green, blue = (float(level) for level in light.mean(axis=(0, 1)))
    gains = (green / red, 1.0, green / blue)
    if max(gains) > MAX_GAIN or min(gains) < 1 / MAX_GAIN:
        raise CalibrationError(
            f"expected a lamp near white (gains from {1 / MAX_GAIN:.2f} to {MAX_GAIN:.0f}), found that red wants "
            f"{gains[0]:.2f} and blue {gains[2]:.2f}",
            "set the camera's colour gains or the lamp first",
        )
    return gains


def off_white(light: Light) -> float:
    """Distance (CIE 1976 ΔE, sRGB) of the most coloured of 6x8 places from the grey of its own lightness."""
    places = cv2.resize(light, (8, 6), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(np.clip(places / 255, 0, 1).astype(np.float32), cv2.COLOR_RGB2Lab)
    return float(np.hypot(lab[..., 1], lab[..., 2]).max())
