"""Cropping: of a single cell's picture only the disc of 8 µm around its middle is left; fields stay as they are."""

import numpy as np
from skimage.draw import disk

from methods.device import Pixels
from methods.kinds import Preprocessing

RADIUS_UM = 8.0
FIELD_UM = 30.0
"""A larger picture is a field."""


def apply(pixels: Pixels, um_per_px: float) -> Pixels:
    """Fill what lies outside the disc with the median colour of the picture's border."""
    rows, cols = pixels.shape[:2]
    if max(rows, cols) * um_per_px > FIELD_UM:
        return pixels
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    kept = np.empty_like(pixels)
    kept[:] = np.median(border, axis=0).astype(np.uint8)
    inside = disk((rows / 2, cols / 2), RADIUS_UM / um_per_px, shape=(rows, cols))
    kept[inside] = pixels[inside]
    return kept


METHOD = Preprocessing("cropping", "as in most papers of the review", apply)
