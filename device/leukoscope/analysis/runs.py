"""Reads many cells' outlines from one plane of labels at once, row by row, without looking at each cell for itself."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Runs:
    """The pixels of every label of a plane as runs: neighbours in one row, by label and then from the top."""

    area_px: NDArray[np.int64]
    """Pixels of each label, shape (labels + 1,); background is label 0 and has none."""
    plain: NDArray[np.bool_]
    """Which labels have one run in each row from their first to their last, and each run on the one above: one piece
    without holes or gaps. Some such pieces are not plain (a crescent that lies on its back)."""
    _row: NDArray[np.intp]
    _left: NDArray[np.intp]
    _right: NDArray[np.intp]
    _from: NDArray[np.intp]

    @classmethod
    def of(cls, labels: NDArray[np.uint16], count: int) -> "Runs":
        """Read a plane.

        Args:
            labels: 0 for background, shape (rows, cols), contiguous.
            count: the highest label there can be.
        """
        flat, cols = labels.ravel(), labels.shape[1]
        changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        # Between two changes lies one label; the plane's own ends are changes, too.
        begins = np.concatenate([[0], changes]) if flat.size else changes
        label = np.take(flat, begins)
        ends = np.append(begins[1:], flat.size)
        filled = np.flatnonzero(label)
        order = np.take(filled, np.argsort(np.take(label, filled), kind="stable"))
        label, begins, last = np.take(label, order).astype(np.intp), np.take(begins, order), np.take(ends, order) - 1
        row, left = np.divmod(begins, cols)
        right = last - row * cols
        area_px = np.bincount(label, weights=right - left + 1, minlength=count + 1).astype(np.int64)
        follows = label[1:] == label[:-1]
        rests = (row[1:] == row[:-1] + 1) & (left[1:] <= right[:-1]) & (right[1:] >= left[:-1])
        plain = area_px > 0
        plain[label[1:][follows & ~rests]] = False
        # A run that goes on in the next row: the label reaches from one side of the plane to the other.
        plain[label[right >= cols]] = False
        return cls(area_px, plain, row, left, right, np.searchsorted(label, np.arange(count + 2)))

    def ends_of(self, label: int) -> NDArray[np.int32]:
        """The first and the last pixel (col, row) of each run of a plain label, shape (2 runs, 2)."""
        runs = slice(self._from[label], self._from[label + 1])
        row = self._row[runs]
        ends = np.stack([self._left[runs], row, self._right[runs], row], axis=1, dtype=np.int32, casting="same_kind")
        return ends.reshape(-1, 2)
