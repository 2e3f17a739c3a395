"""Even light: a gain per place and colour, made from blank fields."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.specimen.frame import Pixels

Gain = NDArray[np.float32]
"""Multiplier per place and colour, shape (grid rows, grid cols, 3); 1 where the light is brightest."""

GRID = (24, 32)
"""Rows and columns of a stored gain: shading is smooth, so a coarse grid holds all of it."""


def gain_from_blank(blanks: Sequence[Pixels]) -> Gain:
    """The gain that makes blank fields uniform.

    The median over several blank fields removes dust that moved and stray cells; each colour is
    levelled to its own brightest place, so that shading is corrected and white balance left alone.

    Args:
        blanks: RGB pictures of one size, shape (rows, cols, 3).

    Raises:
        ValueError: there is no picture, or one is too dark to be a blank field.
    """
    if not blanks:
        raise ValueError("expected at least one blank field, found none")
    median = np.median(np.stack(blanks), axis=0).astype(np.float32)
    rows, cols = GRID
    smooth = cv2.GaussianBlur(median, (0, 0), sigmaX=median.shape[1] / cols)
    coarse = cv2.resize(smooth, (cols, rows), interpolation=cv2.INTER_AREA)
    if float(coarse.min()) < 8:
        raise ValueError(f"expected blank fields, found a place of brightness {coarse.min():.0f} of 255")
    return np.asarray(coarse.max(axis=(0, 1), keepdims=True) / coarse, dtype=np.float32)


class FlatField:
    """Applies a gain to pictures of one size; the full-size gain is made once."""

    def __init__(self, gain: Gain) -> None:
        self._gain = gain
        self._full: Gain | None = None

    def apply(self, pixels: Pixels) -> Pixels:
        """The picture with its light evened, saturating at 255.

        Args:
            pixels: RGB, shape (rows, cols, 3).
        """
        if self._full is None or self._full.shape != pixels.shape:
            rows, cols = pixels.shape[:2]
            self._full = np.asarray(
                cv2.resize(self._gain, (cols, rows), interpolation=cv2.INTER_CUBIC), dtype=np.float32
            )
        return np.asarray(cv2.multiply(pixels, self._full, dtype=cv2.CV_8U), dtype=np.uint8)
