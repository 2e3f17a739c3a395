"""Cyan, magenta and yellow after black is taken out, in place of red, green and blue."""

import numpy as np

from methods.device import Pixels
from methods.kinds import Preprocessing


def apply(pixels: Pixels, um_per_px: float) -> Pixels:
    """The inverted colours of CMYK, so that glass stays bright; black is left out, networks take three planes."""
    levels = pixels / 255.0
    black = 1 - levels.max(axis=-1, keepdims=True)
    inks = (1 - levels - black) / np.maximum(1 - black, 1e-6)
    return np.asarray(np.rint(255 * (1 - inks)), dtype=np.uint8)


METHOD = Preprocessing("CMYK", "as in the review", apply)
