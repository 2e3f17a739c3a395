"""Smoothing by the median of a disc of 0.3 µm."""

import numpy as np
from skimage.filters import median
from skimage.morphology import disk

from methods.device import Pixels
from methods.kinds import Preprocessing

RADIUS_UM = 0.3


def apply(pixels: Pixels, um_per_px: float) -> Pixels:
    """Smooth each colour, edges kept."""
    footprint = disk(max(1, round(RADIUS_UM / um_per_px)))
    return np.asarray(np.stack([median(pixels[..., k], footprint) for k in range(3)], axis=-1), dtype=np.uint8)


METHOD = Preprocessing("median smoothing", "Gonzalez & Woods", apply)
