"""Turns the segmenting network's grids into boxes and pixel masks; training judges itself by this very file.

It needs numpy and OpenCV alone. Grids are channels-last (rows, columns, channels) at one point per `stride`
pixels; the middle of grid point (row, column) is pixel ((column + 0.5) * stride, (row + 0.5) * stride).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

BOX_UNIT_PX = 16.0
"""The network states how far the sides of a box lie in units of this many pixels."""

MASK_PLANES = 3
"""Any cell, white cell, nucleus."""

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
    """
    heat = np.asarray(1.0 / (1.0 + np.exp(-heat_logits)), dtype=np.float32)
    highest = cv2.dilate(heat, np.ones((3, 3), dtype=np.uint8)).reshape(heat.shape)
    peaks = (heat >= highest) & (heat >= np.asarray(thresholds, dtype=np.float32))
    row, column, kind = np.nonzero(peaks)
    score = np.asarray(heat[row, column, kind], dtype=np.float32)
    order = np.argsort(-score, kind="stable")
    row, column, kind, score = row[order], column[order], kind[order], score[order]

    middle = np.stack([column, row], axis=1).astype(np.float32) * stride + stride / 2
    reach = box[row, column].astype(np.float32) * BOX_UNIT_PX
    corners = np.concatenate([middle - reach[:, :2], middle + reach[:, 2:]], axis=1)
    kept = _not_repeated(corners, kind)
    corners = corners[kept]
    return Boxes(kind[kept], score[kept], corners[:, 0], corners[:, 1], corners[:, 2], corners[:, 3])


def unpack_mask(mask_logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """(rows, columns, 12) at stride 4 to (2 rows, 2 columns, 3): logits of any cell, white cell, nucleus.

    Channel `plane * 4 + dy * 2 + dx` holds the value at row 2y + dy, column 2x + dx.
    """
    rows, columns = mask_logits.shape[:2]
    parts = mask_logits.reshape(rows, columns, MASK_PLANES, 2, 2)
    return np.ascontiguousarray(parts.transpose(0, 3, 1, 4, 2)).reshape(2 * rows, 2 * columns, MASK_PLANES)


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
    if len(corners) == 0:
        return np.empty(0, dtype=np.intp)
    limit = np.where(kind[:, None] == kind[None, :], SAME_KIND_IOU, ANY_KIND_IOU)
    repeats = overlap(corners, corners) > limit
    alive = np.ones(len(corners), dtype=bool)
    for index in np.flatnonzero(np.triu(repeats, 1).any(axis=1)):
        if alive[index]:
            alive[index + 1 :] &= ~repeats[index, index + 1 :]
    return np.flatnonzero(alive)
