"""Shares out the pixels of overlapping boxes: each goes to the cell whose middle is nearer."""

import numpy as np
from numpy.typing import NDArray

from leukoscope.analysis.peaks import touching_pairs

REACH = 1.2
"""How far an outline may lie outside the box's ellipse, as squared distance in half-axes: cells are not ellipses."""

CHOOSING_REACH = 1.8
"""The same for cells that choose: lobes and tails of a white cell lie farther out."""

Flags = NDArray[np.bool_]
Labels = NDArray[np.uint16]
"""Number of the cell that has a pixel, from 1; 0 where it is nobody's."""

FAR = 2**15 - 1
"""Stands for a squared distance of REACH in whole numbers: two of them fit into 16 bits, and one is 1/800 pixel."""


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
        self._choosing = self._shared_by_pairs(np.flatnonzero(choosing), edges)
        self.labels = self._shared_by_all(np.flatnonzero(~choosing), edges)
        """Which of the cells that do not choose has a pixel; shape (rows, cols), up to the last row and column of a
        box. A cell's number is its index plus 1."""

    def of(self, index: int) -> Flags:
        """A cell's territory, at each pixel of its box."""
        chosen = self._choosing.get(index)
        return np.equal(self.labels[self._box(index)], index + 1) if chosen is None else chosen

    def take(self, index: int, outline: Flags) -> None:
        """Take what a choosing cell's outline covers, of the shape of its box, from the cells that do not choose."""
        np.putmask(self.labels[self._box(index)], outline, np.uint16(0))

    def ellipse(self, index: int) -> Flags:
        """What of a cell's territory lies in the ellipse of its box."""
        return self.of(index) & self._within(1.0, index)

    def _shared_by_all(self, indexes: NDArray[np.intp], edges: NDArray[np.intp]) -> Labels:
        """Cells in one plane: each pixel holds distance and number of its nearest cell as one number, the least."""
        cols, rows = edges[:, 2:].max(axis=0, initial=0).tolist()
        nearest = np.full((rows, cols), FAR << 16, dtype=np.uint32)
        by_row, by_col = (
            np.minimum(part[indexes] * np.float32(FAR / REACH), FAR).astype(np.uint32) << 16
            for part in (self._by_row, self._by_col)
        )
        by_col |= (indexes[:, None] + 1).astype(np.uint32)
        for down, across, index in zip(by_row[..., None], by_col, indexes.tolist(), strict=True):
            left, top, right, bottom = self._edges[index]
            here = nearest[top:bottom, left:right]
            np.minimum(here, down[: bottom - top] + across[: right - left], out=here)
        return nearest.astype(np.uint16)  # the lower half, which is the number

    def _shared_by_pairs(self, indexes: NDArray[np.intp], edges: NDArray[np.intp]) -> dict[int, Flags]:
        """Cells each with flags of their own: for a few, which a plane of the whole picture would cost more."""
        flags = {index: self._within(CHOOSING_REACH, index) for index in indexes.tolist()}
        one, other = touching_pairs(edges[indexes])
        for first, second in zip(indexes[one].tolist(), indexes[other].tolist(), strict=True):
            self._divide(flags, first, second)
        return flags

    def _within(self, limit: float, index: int) -> Flags:
        left, top, right, bottom = self._edges[index]
        by_row, by_col = self._by_row[index, : bottom - top, None], self._by_col[index, : right - left]
        return np.asarray(by_row < limit - by_col, dtype=np.bool_)

    def _divide(self, flags: dict[int, Flags], one: int, other: int) -> None:
        """Give each pixel that two boxes share to one of them."""
        left, top, right, bottom = (
            least(first, second)
            for least, first, second in zip((max, max, min, min), self._edges[one], self._edges[other], strict=True)
        )
        rows, cols = self._place(one, (left, top, right, bottom))
        others_rows, others_cols = self._place(other, (left, top, right, bottom))
        by_row = self._by_row[one, rows] - self._by_row[other, others_rows]
        by_col = self._by_col[other, others_cols] - self._by_col[one, cols]
        nearer = by_row[:, None] <= by_col
        flags[one][rows, cols] &= nearer
        flags[other][others_rows, others_cols] &= ~nearer

    def _box(self, index: int) -> tuple[slice, slice]:
        left, top, right, bottom = self._edges[index]
        return slice(top, bottom), slice(left, right)

    def _place(self, index: int, part: tuple[int, int, int, int]) -> tuple[slice, slice]:
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
