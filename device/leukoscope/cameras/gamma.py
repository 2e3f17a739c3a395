"""Levels of a PNG file that states another gamma than pictures are shown with, as linear ones of a camera."""

import numpy as np
from PIL import Image

from leukoscope.specimen.frame import Pixels
from leukoscope.system.pixels_in_file import let_go

_SHOWN = 1 / 2.2
"""Exponent by which levels follow light in pictures that state none (PNG specification, third edition, 11.3.2.2)."""
_SAME = 0.05
"""Gammas that differ by this share look alike."""
_BAND_ROWS = 256


def as_shown(pixels: Pixels, picture: Image.Image) -> Pixels:
    """The pixels as viewers show them: brought from the gamma that the file states to the usual one, in place.

    Args:
        pixels: (rows, cols, 3) uint8.
        picture: what they were decoded from; a colour profile, or sRGB, says more than a gamma.
    """
    gamma = picture.info.get("gamma")
    if not gamma or "srgb" in picture.info or "icc_profile" in picture.info or abs(gamma / _SHOWN - 1) <= _SAME:
        return pixels
    levels = np.rint(255 * (np.arange(256) / 255) ** (_SHOWN / gamma)).astype(np.uint8)
    for top in range(0, len(pixels), _BAND_ROWS):
        pixels[top : top + _BAND_ROWS] = levels[pixels[top : top + _BAND_ROWS]]
        let_go(pixels)
    return pixels
