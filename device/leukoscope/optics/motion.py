"""Has the stage come to rest on a new place? Answered from the pictures alone."""

from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from leukoscope.schema import FrozenModel
from leukoscope.specimen.frame import Pixels

GREY_COLS = 160
"""Width of the small grey picture the shift is measured on, in pixels."""
MIN_LIKENESS = 0.5
"""Correlation of the shared area below which two pictures do not show the same place."""
MIN_SHARED = 0.05
"""A shared area smaller than this share of the picture proves nothing."""

Grey = NDArray[np.float32]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class NewFieldRule(FrozenModel):
    """When a frame is a field of its own."""

    when: Literal["moved", "every_frame"] = "moved"
    """"moved": the stage rests on a new place. "every_frame": each picture is another place (replay)."""
    max_shift_share: Share = 0.01
    """The stage rests when the picture moves by less than this share of its width between frames."""
    max_overlap: Share = 0.1
    """A place is new when it shares less than this with the field counted last."""


class StageWatcher:
    """Tells, frame by frame, whether the field is still and shows enough area not yet counted.

    Motion comes from phase correlation (Kuglin & Hines 1975) between small grey pictures: with the
    frame before for stillness, with the field counted last for newness. It remembers one field only,
    so coming back to an older place is not noticed.
    """

    def __init__(self, max_shift_share: float = 0.01, max_overlap: float = 0.1) -> None:
        """Set the limits.

        Args:
            max_shift_share: a frame is still when it moved by less than this share of its width.
            max_overlap: a place is new when it shares less than this with the field counted last.
        """
        self._max_shift_share = max_shift_share
        self._max_overlap = max_overlap
        self._before: Grey | None = None
        self._counted: Grey | None = None
        self._refused: Grey | None = None

    def is_still(self, pixels: Pixels) -> bool:
        """Whether the stage rests; must see every frame. The first frame is never still."""
        grey = _small_grey(pixels)
        before, self._before = self._before, grey
        if before is None or before.shape != grey.shape:
            return False
        dx, dy = _shift(before, grey)
        limit = self._max_shift_share * GREY_COLS
        return max(abs(dx), abs(dy)) <= limit and _likeness(before, grey, 0, 0) >= MIN_LIKENESS

    def is_new(self, pixels: Pixels) -> bool:
        """Whether this place shares little enough with the field counted last."""
        return self._elsewhere(self._counted, _small_grey(pixels))

    def remember_counted(self, pixels: Pixels) -> None:
        """This field was counted."""
        self._counted = _small_grey(pixels)

    def is_new_refusal(self, pixels: Pixels) -> bool:
        """Whether a refused place differs from the one refused last; remembers it.

        A place is tried again while the technician focuses, and must not be counted as refused each time.
        """
        grey = _small_grey(pixels)
        refused, self._refused = self._refused, grey
        return self._elsewhere(refused, grey)

    def _elsewhere(self, place: Grey | None, grey: Grey) -> bool:
        if place is None or place.shape != grey.shape:
            return True
        dx, dy = _shift(place, grey)
        if _likeness(place, grey, round(dx), round(dy)) < MIN_LIKENESS:
            return True
        rows, cols = grey.shape
        overlap = (1 - abs(dx) / cols) * (1 - abs(dy) / rows)
        return bool(overlap < self._max_overlap)


def _small_grey(pixels: Pixels) -> Grey:
    rows = max(8, round(pixels.shape[0] * GREY_COLS / pixels.shape[1]))
    small = cv2.resize(pixels[..., 1], (GREY_COLS, rows), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)


def _shift(one: Grey, other: Grey) -> tuple[float, float]:
    """How far (x, y) the content of `one` has moved in `other`, in pixels."""
    window = cv2.createHanningWindow((one.shape[1], one.shape[0]), cv2.CV_32F)
    # OpenCV applies the window to the pictures it is given, so it gets copies.
    (dx, dy), _ = cv2.phaseCorrelate(one.copy(), other.copy(), window)
    return float(dx), float(dy)


def _likeness(one: Grey, other: Grey, dx: int, dy: int) -> float:
    """Correlation (-1 to 1) of the area two pictures share when `other` shows `one` moved by (dx, dy).

    The peak of a phase correlation is no proof by itself: two unrelated smears have one too.
    """
    rows, cols = one.shape
    first = one[max(0, -dy) : rows - max(0, dy), max(0, -dx) : cols - max(0, dx)]
    second = other[max(0, dy) : rows - max(0, -dy), max(0, dx) : cols - max(0, -dx)]
    if first.size < MIN_SHARED * one.size:
        return 0.0
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / scale if scale else 0.0
