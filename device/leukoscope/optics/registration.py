"""How far one picture of a smear lies from another, measured on small grey pictures."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import cv2
import numpy as np
from numpy import fft
from numpy.typing import NDArray

from leukoscope.specimen.frame import Pixels

COLS = 128
"""Width of the small picture, pixels. A field of 80 µm then has 0.6 µm per pixel, a tenth of a red cell."""
SMALLEST_ROWS = 8
LEAST_SHARED = 0.1
"""Pictures that share less of their area are not compared: a handful of cells fits anywhere."""
BELIEVED = 0.45
"""Weight of evidence from which a shift is believed. On simulated smears of 6 to 18 red cells per 1000 µm² true shifts
of up to eight tenths of a picture reach 0.49 and more in focus, unrelated places at most 0.26; at 3 cells 0.37 and
0.32, so that a sparse place is lost rather than mistaken."""

Grey = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shift:
    """How far the content of one picture has moved in another."""

    down: float
    right: float
    """In widths of the picture, both, so that it holds for any size."""
    evidence: float
    """Fisher's z of the correlation of what both show, times the square root of the shared area (1: all of it)."""

    @property
    def believed(self) -> bool:
        """Whether the two pictures show one place of the slide."""
        return self.evidence >= BELIEVED


class Thumbnail:
    """A small grey picture with the lamp's gradient and the grain taken out, ready to be compared."""

    def __init__(self, grey: Grey) -> None:
        """From a small grey picture, shape (rows, cols)."""
        self.grey = grey
        fine = cv2.GaussianBlur(grey, (0, 0), 0.7)
        self._picture = np.asarray(fine - cv2.GaussianBlur(grey, (0, 0), grey.shape[1] / 10), dtype=np.float32)
        self.contrast = float(self._picture.std())
        """Standard deviation of what is left, grey levels."""
        self._spectrum = fft.rfft2(self._picture, _padded(*grey.shape))
        self._energy = np.pad(np.square(self._picture).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))

    @classmethod
    def of(cls, pixels: Pixels) -> Self:
        """Of a picture, RGB (rows, cols, 3)."""
        # Stained cells are darkest in green.
        return cls(small_grey(np.asarray(cv2.extractChannel(pixels, 1), dtype=np.uint8), COLS))

    def shift_to(self, other: "Thumbnail") -> Shift:
        """How far the content of this picture has moved in the other one.

        Correlation of the overlap at every shift, normalised by the overlap's own energy (Lewis 1995; for
        rectangles the masks of Padfield 2012, doi:10.1109/TIP.2011.2181402, are sums over rectangles). Phase
        correlation was tried first: it whitens away what defocus leaves, then locks on to dust, and ends at half a
        picture. The peak of a correlation grows by chance as the overlap shrinks, hence the weight of evidence.

        Raises:
            ValueError: the pictures differ in shape.
        """
        rows, cols = self._picture.shape
        if other._picture.shape != (rows, cols):
            found = "x".join(str(size) for size in other._picture.shape[::-1])
            raise ValueError(f"expected a picture of {cols}x{rows}, found {found}")
        overlap = _overlaps(rows, cols)
        product = fft.irfft2(np.conj(self._spectrum) * other._spectrum, _padded(rows, cols))[overlap.shifts]
        energy = overlap.sums(self._energy) * overlap.mirrored_sums(other._energy)
        correlation = np.clip(product / np.sqrt(np.maximum(energy, 1.0)), -0.999, 0.999)
        evidence = np.arctanh(correlation) * overlap.weight
        row, col = (int(index) for index in np.unravel_index(evidence.argmax(), evidence.shape))
        down = row - (rows - 1) + _peak_position(correlation[:, col], row)
        right = col - (cols - 1) + _peak_position(correlation[row], col)
        return Shift(down / cols, right / cols, float(evidence[row, col]))


def small_grey(plane: NDArray[np.uint8] | Grey, cols: int) -> Grey:
    """One channel, shape (rows, cols), made this wide."""
    rows = max(SMALLEST_ROWS, round(plane.shape[0] * cols / plane.shape[1]))
    return np.asarray(cv2.resize(plane, (cols, rows), interpolation=cv2.INTER_AREA), dtype=np.float32)


class _Overlap:
    """What two pictures of one size share at each shift, (down, right) from -(size - 1) to size - 1."""

    def __init__(self, rows: int, cols: int) -> None:
        downs, rights = np.arange(1 - rows, rows), np.arange(1 - cols, cols)
        padded = _padded(rows, cols)
        self.shifts = np.ix_(downs % padded[0], rights % padded[1])
        """Where each shift lies in a padded correlation."""
        first, last = np.maximum(0, -downs), rows - np.maximum(0, downs)
        left, right = np.maximum(0, -rights), cols - np.maximum(0, rights)
        self._corners = _corners(first, last, left, right)
        self._mirrored = _corners(rows - last, rows - first, cols - right, cols - left)
        share = np.outer(last - first, right - left) / (rows * cols)
        self.weight = np.where(share >= LEAST_SHARED, np.sqrt(share), 0.0).astype(np.float32)

    def sums(self, integral: Grey) -> Grey:
        """Of the first picture's values in the overlap, from their running sums, shape (rows + 1, cols + 1)."""
        return _between(integral, self._corners)

    def mirrored_sums(self, integral: Grey) -> Grey:
        """Of the second picture's."""
        return _between(integral, self._mirrored)


_Corner = tuple[NDArray[np.intp], ...]


def _corners(
    first: NDArray[np.intp], last: NDArray[np.intp], left: NDArray[np.intp], right: NDArray[np.intp]
) -> tuple[_Corner, _Corner, _Corner, _Corner]:
    return np.ix_(last, right), np.ix_(first, right), np.ix_(last, left), np.ix_(first, left)


def _between(integral: Grey, corners: tuple[_Corner, _Corner, _Corner, _Corner]) -> Grey:
    low_right, top_right, low_left, top_left = corners
    return np.asarray(integral[low_right] - integral[top_right] - integral[low_left] + integral[top_left])


@lru_cache(maxsize=4)
def _overlaps(rows: int, cols: int) -> _Overlap:
    return _Overlap(rows, cols)


@lru_cache(maxsize=4)
def _padded(rows: int, cols: int) -> tuple[int, int]:
    """Room for every shift without wrapping round."""
    return cv2.getOptimalDFTSize(2 * rows), cv2.getOptimalDFTSize(2 * cols)


def _peak_position(values: Grey, index: int) -> float:
    """How far beside its largest sample a parabola through three of them has its top, in samples."""
    if not 0 < index < len(values) - 1:
        return 0.0
    before, at, after = values[index - 1 : index + 2].tolist()
    bend = before - 2 * at + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
