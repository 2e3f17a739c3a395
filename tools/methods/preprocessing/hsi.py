"""Hue, saturation and intensity in place of red, green and blue."""

import numpy as np
from skimage.color import rgb2hsv

from methods.device import Pixels
from methods.kinds import Preprocessing


def apply(pixels: Pixels, um_per_px: float) -> Pixels:
    """The planes of HSI, 0-255; hue as in HSV, saturation 1 - min / mean, intensity the mean (Gonzalez & Woods)."""
    levels = pixels / 255.0
    mean = levels.mean(axis=-1)
    saturation = 1 - levels.min(axis=-1) / np.maximum(mean, 1e-6)
    planes = np.stack([rgb2hsv(pixels)[..., 0], saturation, mean], axis=-1)
    return np.asarray(np.rint(255 * planes), dtype=np.uint8)


METHOD = Preprocessing("HSI", "Gonzalez & Woods", apply)
