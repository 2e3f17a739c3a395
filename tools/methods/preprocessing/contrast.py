"""Contrast stretched so that 1 % of the levels are black and 1 % white."""

import numpy as np
from skimage.exposure import rescale_intensity

from methods.device import Pixels
from methods.kinds import Preprocessing


def apply(pixels: Pixels, um_per_px: float) -> Pixels:
    """Stretch all colours alike, so that hues stay."""
    low, high = np.percentile(pixels, (1, 99))
    return np.asarray(rescale_intensity(pixels, in_range=(float(low), float(high)), out_range=np.uint8))


METHOD = Preprocessing("contrast stretching", "Gonzalez & Woods", apply)
