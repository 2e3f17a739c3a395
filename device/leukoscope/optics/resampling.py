"""Brings a picture to another scale, fast."""

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.system.pixels_in_file import is_in_file, let_go

_LARGE = 60_000_000
"""Bytes of a picture from which its colours are resampled one after the other where it lies in a file."""
_BAND_ROWS = 256
HALVE_FROM = 1.8
"""A picture is halved as long as it is still this much too large: interpolation alone would then miss pixels."""


def resample(pixels: NDArray[np.uint8], zoom: float) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """A picture at `zoom` times its size, each side rounded to whole pixels.

    Shrinking means averaging, or fine detail turns into patterns that are not there. Averaging two by two is many
    times faster than averaging over fractions of pixels; interpolation does the rest.

    Args:
        pixels: shape (rows, cols) or (rows, cols, channels).
        zoom: above 0.

    Returns:
        The picture, and pixels of the old per pixel of the new (by row, by column).
    """
    if pixels.ndim == 3 and pixels.size > _LARGE and is_in_file(pixels):
        return _colour_by_colour(pixels, zoom)
    rows, cols = pixels.shape[:2]
    new_rows, new_cols = max(1, round(rows * zoom)), max(1, round(cols * zoom))
    step = rows / new_rows, cols / new_cols
    by_row, by_col = step
    while min(by_row, by_col) >= HALVE_FROM:
        pixels = _halved(pixels)
        by_row, by_col = by_row / 2, by_col / 2
    if (by_row, by_col) != (1.0, 1.0):
        pixels = np.asarray(cv2.resize(pixels, None, fx=1 / by_col, fy=1 / by_row), dtype=np.uint8)
    # What halving added to an odd side is left out again.
    return pixels[:new_rows, :new_cols], step


def _colour_by_colour(pixels: NDArray[np.uint8], zoom: float) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """The same of a picture in a file; a third of it at most is in memory beside the smaller one."""
    rows, cols, colours = pixels.shape
    small, step = np.empty(0, np.uint8), (1.0, 1.0)
    for colour in range(colours):
        plane = np.empty((rows, cols), np.uint8)
        for top in range(0, rows, _BAND_ROWS):
            plane[top : top + _BAND_ROWS] = cv2.extractChannel(pixels[top : top + _BAND_ROWS], colour)
            let_go(pixels)
        resampled, step = resample(plane, zoom)
        del plane
        if colour == 0:
            small = np.empty((*resampled.shape, colours), np.uint8)
        small[..., colour] = resampled
    return small, step


def _halved(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Averages of two by two pixels; an odd side's last pixel is averaged with itself."""
    rows, cols = pixels.shape[:2]
    if rows % 2 or cols % 2:
        even = cv2.copyMakeBorder(pixels, 0, rows % 2, 0, cols % 2, cv2.BORDER_REPLICATE)
        pixels = np.asarray(even, dtype=np.uint8)
    half = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(half, dtype=np.uint8)
