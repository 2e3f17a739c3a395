"""Shares out the pixels of overlapping boxes: each goes to the cell whose middle is nearer."""

import numpy as np
from numpy.typing import NDArray

from leukoscope.analysis.peaks import touching_pairs

REACH = 1.2
"""How far an outline may lie outside the box's ellipse, as squared distance in half-axes: cells are not ellipses."""

CHOOSING_REACH = 1.8
"""The same for cells that choose: lobes and tails of a white cell lie farther out."""

Flags = NDArray[np.bool_]


class PixelPartition:
    """Which pixels of its box each cell may have.

    Distance from a cell's middle is taken in units of its own half-axes. Squared, it is a part by row plus a part by
    column, so that cells can be compared without a plane of distances for each.
    """

    def __init__(self, sides: NDArray[np.float32], edges: NDArray[np.intp], choosing: Flags) -> None:
        """Share out; a pixel equally near to two cells goes to the first.

        Args:
            sides: xmin, ymin, xmax, ymax of each cell's box in pixels, shape (cells, 4).
            edges: the same in whole pixels, half-open.
            choosing: the cells that share pixels with their like alone; what they `take`, the others lose.
        """
        self._by_col = _squared_distances(sides[:, 0], sides[:, 2], edges[:, 0], edges[:, 2])
        self._by_row = _squared_distances(sides[:, 1], sides[:, 3], edges[:, 1], edges[:, 3])
        self._edges: list[list[int]] = edges.tolist()
        reaches = np.where(choosing, CHOOSING_REACH, REACH).tolist()
        self._flags = [self._within(reach, index) for index, reach in enumerate(reaches)]
        one, other = touching_pairs(edges)
        shared = np.hstack([np.maximum(edges[one, :2], edges[other, :2]), np.minimum(edges[one, 2:], edges[other, 2:])])
        self._losing: dict[int, list[tuple[int, list[int]]]] = {}
        chooses = choosing.tolist()
        for first, second, part in zip(one.tolist(), other.tolist(), shared.tolist(), strict=True):
            if chooses[first] == chooses[second]:
                self._divide(first, second, part)
            else:
                winner, loser = (first, second) if chooses[first] else (second, first)
                self._losing.setdefault(winner, []).append((loser, part))

    def of(self, index: int) -> Flags:
        """A cell's territory, at each pixel of its box."""
        return self._flags[index]

    def take(self, index: int, outline: Flags) -> None:
        """Take what a choosing cell's outline covers, of the shape of its box, from the cells that do not choose."""
        for loser, part in self._losing.get(index, ()):
            left = self._flags[loser][self._place(loser, part)]
            np.greater(left, outline[self._place(index, part)], out=left)

    def ellipse(self, index: int) -> Flags:
        """What of a cell's territory lies in the ellipse of its box."""
        return self._flags[index] & self._within(1.0, index)

    def _within(self, limit: float, index: int) -> Flags:
        left, top, right, bottom = self._edges[index]
        by_row, by_col = self._by_row[index, : bottom - top, None], self._by_col[index, : right - left]
        return np.asarray(by_row < limit - by_col, dtype=np.bool_)

    def _divide(self, one: int, other: int, shared: list[int]) -> None:
        """Give each pixel that two boxes share to one of them."""
        rows, cols = self._place(one, shared)
        others_rows, others_cols = self._place(other, shared)
        by_row = self._by_row[one, rows] - self._by_row[other, others_rows]
        by_col = self._by_col[other, others_cols] - self._by_col[one, cols]
        nearer = by_row[:, None] <= by_col
        ones, others = self._flags[one][rows, cols], self._flags[other][others_rows, others_cols]
        ones &= nearer
        # Of flags, "greater" is "and not", in one step.
        np.greater(others, nearer, out=others)

    def _place(self, index: int, part: list[int]) -> tuple[slice, slice]:
        """Where a part of the picture lies in a cell's box."""
        left, top = self._edges[index][:2]
        return slice(part[1] - top, part[3] - top), slice(part[0] - left, part[2] - left)


def _squared_distances(
    low: NDArray[np.float32], high: NDArray[np.float32], first: NDArray[np.intp], end: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Of each cell's pixels from `first` on, along one axis, from the middle of `low` and `high`, in halves of them."""
    steps = np.arange((end - first).max(initial=0), dtype=np.float32) + np.float32(0.5)
    from_middle = steps + (first.astype(np.float32) - (low + high) / 2)[:, None]
    return np.asarray((from_middle / ((high - low) / 2)[:, None]) ** 2, dtype=np.float32)
