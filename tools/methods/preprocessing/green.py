"""The green plane alone: both dyes absorb green light."""

import numpy as np

from methods.device import Pixels
from methods.kinds import Preprocessing


def apply(pixels: Pixels, um_per_px: float) -> Pixels:
    """Green in all three planes."""
    return np.ascontiguousarray(np.repeat(pixels[..., 1:2], 3, axis=-1))


METHOD = Preprocessing("green plane", "as in most papers of the review", apply)
