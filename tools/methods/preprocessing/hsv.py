"""Hue, saturation and value in place of red, green and blue."""

import numpy as np
from skimage.color import rgb2hsv

from methods.device import Pixels
from methods.kinds import Preprocessing


def apply(pixels: Pixels, um_per_px: float) -> Pixels:
    """The planes of HSV, 0-255."""
    return np.asarray(np.rint(255 * rgb2hsv(pixels)), dtype=np.uint8)


METHOD = Preprocessing("HSV", "Smith 1978", apply)
