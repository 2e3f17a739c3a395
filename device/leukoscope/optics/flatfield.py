"""Even light: a gain per place and colour, made from blank fields."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.optics.blank import GRID, Light, light_of
from leukoscope.specimen.frame import Pixels

__all__ = ["GRID", "FlatField", "Gain", "gain_from_blank", "gain_of"]

Gain = NDArray[np.float32]
"""Multiplier per place and colour, shape (grid rows, grid cols, 3); 1 where the light is brightest."""
White = tuple[float, float, float]
"""Multiplier per colour (red, green, blue) that makes empty glass grey."""


def gain_from_blank(blanks: Sequence[Pixels]) -> Gain:
    """The gain that makes blank fields uniform.

    Args:
        blanks: RGB pictures of one size, shape (rows, cols, 3).

    Raises:
        CalibrationError: they are not blank, or too dark.
    """
    return gain_of(light_of(blanks).light)


def gain_of(light: Light, dark: Light | None = None) -> Gain:
    """The gain that makes this light uniform.

    Each colour is levelled to its own brightest place, so that shading is corrected and white balance left alone.

    Args:
        light: of blank fields, grey levels, shape (grid rows, grid cols, 3).
        dark: what the sensor reads without light, of the same shape; None for nothing.
    """
    # One grey level at least: a dark level as high as the light would ask for an endless gain.
    passed = np.maximum(light if dark is None else light - dark, 1)
    return np.asarray(passed.max(axis=(0, 1), keepdims=True) / passed, dtype=np.float32)


class FlatField:
    """Applies a gain to pictures of one size; the full-size gain is made once."""

    def __init__(self, gain: Gain | None, dark: Light | None = None, white: White = (1.0, 1.0, 1.0)) -> None:
        """Join what is known of the light path.

        Args:
            gain: per place and colour; None where the light is taken as even.
            dark: what the sensor reads without light, shape (grid rows, grid cols, 3); None for nothing.
            white: per colour.
        """
        self._gain = np.ones((1, 1, 3), np.float32) if gain is None else gain
        self._dark = dark
        self._white = np.asarray(white, dtype=np.float32)
        self._full: Gain | None = None
        self._offset: NDArray[np.float32] | None = None

    def apply(self, pixels: Pixels) -> Pixels:
        """The picture with its light evened, saturating at 255.

        Args:
            pixels: RGB, shape (rows, cols, 3).
        """
        if self._full is None or self._full.shape != pixels.shape:
            rows, cols = pixels.shape[:2]
            self._full = _full_size(self._gain, rows, cols) * self._white
            self._offset = None if self._dark is None else _full_size(self._dark, rows, cols) * self._full
        if self._offset is None:
            return np.asarray(cv2.multiply(pixels, self._full, dtype=cv2.CV_8U), dtype=np.uint8)
        bright = cv2.multiply(pixels, self._full, dtype=cv2.CV_32F)
        return np.asarray(cv2.subtract(bright, self._offset, dtype=cv2.CV_8U), dtype=np.uint8)


def _full_size(grid: NDArray[np.float32], rows: int, cols: int) -> NDArray[np.float32]:
    """A grid, whose values lie in the middle of their blocks, at the size of the picture.

    Beyond the middle of the outermost blocks it goes on as steeply as before: shading is steepest at the rim, and to
    repeat the last value would leave a darker one.
    """
    for axis in (0, 1):
        first, last = grid.take([0], axis), grid.take([-1], axis)
        if grid.shape[axis] > 1:
            first, last = 2 * first - grid.take([1], axis), 2 * last - grid.take([-2], axis)
        grid = np.concatenate([first, grid, last], axis=axis)
    down, across = rows / (grid.shape[0] - 2), cols / (grid.shape[1] - 2)
    # The place of each pixel's middle among the blocks, the added ring included.
    col = np.asarray((np.arange(cols) + 0.5) / across + 0.5, dtype=np.float32)
    row = np.asarray((np.arange(rows) + 0.5) / down + 0.5, dtype=np.float32)
    places = np.meshgrid(col, row)
    full = cv2.remap(grid, places[0], places[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(full, dtype=np.float32)
