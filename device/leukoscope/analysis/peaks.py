"""Turns the segmenting network's grids into boxes and pixel masks; training judges itself by this very file.

It needs numpy and OpenCV alone. Grids are channels-last (rows, columns, channels) at one point per `stride`
pixels; the middle of grid point (row, column) is pixel ((column + 0.5) * stride, (row + 0.5) * stride).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

BOX_UNIT_PX = 16.0
"""The network states how far the sides of a box lie in units of this many pixels."""

MASK_PLANES = 3
"""Any cell, white cell, nucleus."""

WBC, PLATELET = 1, 2
"""Where these kinds stand in the heat and in `thresholds`; red cells are first."""

SAME_KIND_IOU = 0.6
"""Two boxes of one kind that overlap more than this are one cell."""

ANY_KIND_IOU = 0.7
"""Two boxes of different kinds that overlap more than this are one cell, of the better scored kind."""


class Boxes(NamedTuple):
    """Cells found in one picture, best first; sides in network pixels, perhaps beyond the picture."""

    kind: NDArray[np.intp]
    score: NDArray[np.float32]
    xmin: NDArray[np.float32]
    ymin: NDArray[np.float32]
    xmax: NDArray[np.float32]
    ymax: NDArray[np.float32]

    def corners(self) -> NDArray[np.float32]:
        """(cells, 4): xmin, ymin, xmax, ymax in network pixels."""
        return np.stack([self.xmin, self.ymin, self.xmax, self.ymax], axis=1)


def find_boxes(
    heat_logits: NDArray[np.float32],
    box: NDArray[np.float32],
    *,
    thresholds: Sequence[float],
    stride: int = 4,
) -> Boxes:
    """The cells of one picture.

    `heat_logits` is (rows, columns, kinds); `box` is (rows, columns, 4), distances to the left, top, right
    and bottom side in units of 16 px; `thresholds` holds one probability per kind; `stride` is in pixels.

    A platelet of 4 µm and more is a little of a white cell, too, and neither alone would suffice: where a platelet is
    the likelier of the two, their probabilities add up. What is likelier a white cell is left as it is.
    """
    # Log-odds order as probabilities do, and only the few peaks are turned into probabilities.
    least = np.clip(np.asarray(thresholds, dtype=np.float32), 1e-6, 1 - 1e-6)
    planes = np.array(heat_logits.transpose(2, 0, 1), dtype=np.float32, order="C")
    _add_up(planes[WBC], planes[PLATELET], float(least[PLATELET]))
    highest = np.stack([cv2.dilate(plane, np.ones((3, 3), dtype=np.uint8)) for plane in planes])
    peaks = np.flatnonzero((planes >= highest) & (planes >= np.log(least / (1 - least))[:, None, None]))
    kind, row, column = np.unravel_index(peaks, planes.shape)
    score = np.asarray(1.0 / (1.0 + np.exp(-np.take(planes, peaks))), dtype=np.float32)
    order = np.lexsort((kind, column, row, -score))
    row, column, kind, score = row[order], column[order], kind[order], score[order]

    middle = np.stack([column, row], axis=1).astype(np.float32) * stride + stride / 2
    reach = box[row, column].astype(np.float32) * BOX_UNIT_PX
    corners = np.concatenate([middle - reach[:, :2], middle + reach[:, 2:]], axis=1)
    kept = _not_repeated(corners, kind)
    corners = corners[kept]
    return Boxes(kind[kept], score[kept], corners[:, 0], corners[:, 1], corners[:, 2], corners[:, 3])


def _add_up(white: NDArray[np.float32], platelet: NDArray[np.float32], least: float) -> None:
    """Raises log-odds of platelets in place, wherever that could take them to the probability `least`."""
    reach = np.log(least / (2 - least))  # half of it, as the smaller share adds no more than the larger one
    torn = np.flatnonzero((platelet >= white) & (platelet >= reach))
    # Below -88 the exponential is beyond float32: infinity, whose reciprocal is the right 0.
    with np.errstate(over="ignore"):
        both = 1 / (1 + np.exp(-white.take(torn))) + 1 / (1 + np.exp(-platelet.take(torn)))
    both = np.minimum(both, 1 - 2e-6)  # below the threshold that nothing reaches
    np.put(platelet, torn, np.log(both / (1 - both)))


def unpack_mask(mask_logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """(rows, columns, 12) at stride 4 to (2 rows, 2 columns, 3): logits of any cell, white cell, nucleus.

    Channel `plane * 4 + dy * 2 + dx` holds the value at row 2y + dy, column 2x + dx.
    """
    rows, columns = mask_logits.shape[:2]
    parts = mask_logits.reshape(rows, columns, MASK_PLANES, 2, 2).transpose(2, 0, 1, 3, 4)
    # Plane by plane in memory, which is how planes are read; four long copies are faster than one of pairs.
    planes = np.empty((MASK_PLANES, rows, 2, columns, 2), dtype=np.float32)
    for down in (0, 1):
        for across in (0, 1):
            planes[:, :, down, :, across] = parts[..., down, across]
    return planes.reshape(MASK_PLANES, 2 * rows, 2 * columns).transpose(1, 2, 0)


def touching_pairs(corners: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Every two of the boxes (n, 4) that share area, the lower index first, in the order of the first."""
    xmin, ymin, xmax, ymax = np.ascontiguousarray(corners.T)
    begins_before_end = (xmin[:, None] < xmax) & (ymin[:, None] < ymax)
    one, other = np.divmod(np.flatnonzero(begins_before_end & begins_before_end.T), max(1, len(corners)))
    return one[one < other], other[one < other]


def overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of every box of `one` (n, 4) with every box of `other` (m, 4): (n, m)."""
    # One axis at a time: arrays of (n, m) are quick to walk through, arrays of (n, m, 2) are not.
    width, height = (
        np.clip(
            np.minimum(one[:, None, side + 2], other[None, :, side + 2])
            - np.maximum(one[:, None, side], other[None, :, side]),
            0.0,
            None,
        )
        for side in (0, 1)
    )
    shared = width * height
    area_one = np.prod(one[:, 2:] - one[:, :2], axis=1)
    area_other = np.prod(other[:, 2:] - other[:, :2], axis=1)
    union = area_one[:, None] + area_other[None, :] - shared
    return np.asarray(shared / np.maximum(union, 1e-6), dtype=np.float32)


def _not_repeated(corners: NDArray[np.float32], kind: NDArray[np.intp]) -> NDArray[np.intp]:
    """Indices of the boxes that no better one repeats; the boxes come best first."""
    better, worse = touching_pairs(corners)
    low, high = np.maximum(corners[better, :2], corners[worse, :2]), np.minimum(corners[better, 2:], corners[worse, 2:])
    shared = np.prod(np.clip(high - low, 0.0, None), axis=1)
    area = np.prod(corners[:, 2:] - corners[:, :2], axis=1)
    limit = np.where(kind[better] == kind[worse], SAME_KIND_IOU, ANY_KIND_IOU)
    repeats = shared > limit * np.maximum(area[better] + area[worse] - shared, 1e-6)
    alive = np.ones(len(corners), dtype=np.bool_)
    for one, other in zip(better[repeats].tolist(), worse[repeats].tolist(), strict=True):
        if alive[one]:
            alive[other] = False
    return np.flatnonzero(alive)
