"""Smoothing by a Gaussian of 0.2 µm."""

import numpy as np
from skimage.filters import gaussian

from methods.device import Pixels
from methods.kinds import Preprocessing

SIGMA_UM = 0.2


def apply(pixels: Pixels, um_per_px: float) -> Pixels:
    """Smooth each colour."""
    soft = gaussian(pixels, SIGMA_UM / um_per_px, channel_axis=-1, preserve_range=True)
    return np.asarray(np.rint(soft), dtype=np.uint8)


METHOD = Preprocessing("Gaussian smoothing", "Gonzalez & Woods", apply)
