"""Histogram equalisation of the lightness."""

import numpy as np
from skimage.color import lab2rgb, rgb2lab
from skimage.exposure import equalize_hist

from methods.device import Pixels
from methods.kinds import Preprocessing


def apply(pixels: Pixels, um_per_px: float) -> Pixels:
    """Spread lightness evenly over all levels; hues stay."""
    lab = rgb2lab(pixels)
    lab[..., 0] = 100 * equalize_hist(lab[..., 0])
    return np.asarray(np.rint(255 * np.clip(lab2rgb(lab), 0, 1)), dtype=np.uint8)


METHOD = Preprocessing("histogram equalisation", "Gonzalez & Woods", apply)
