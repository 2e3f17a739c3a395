"""Lightness, a and b of CIE Lab in place of red, green and blue."""

import numpy as np
from skimage.color import rgb2lab

from methods.device import Pixels
from methods.kinds import Preprocessing


def apply(pixels: Pixels, um_per_px: float) -> Pixels:
    """The planes of Lab, brought to 0-255."""
    planes = rgb2lab(pixels) * np.array([2.55, 1.0, 1.0]) + np.array([0.0, 128.0, 128.0])
    return np.asarray(np.clip(np.rint(planes), 0, 255), dtype=np.uint8)


METHOD = Preprocessing("Lab", "CIE 1976", apply)
