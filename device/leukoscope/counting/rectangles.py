"""Rectangles on the slide: what they share, and by how much two sets of them are shifted."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Rects = NDArray[np.float64]
"""[top, left, bottom, right] along the last axis, pixels."""
Points = NDArray[np.float64]
"""(row, col) along the last axis, pixels."""


def clipped(rects: Rects, window: Rects) -> Rects:
    """What of each rectangle lies in a window; shapes broadcast. What lies outside gets no area."""
    low = np.maximum(rects[..., :2], window[..., :2])
    high = np.minimum(rects[..., 2:], window[..., 2:])
    return np.asarray(np.concatenate([low, np.maximum(high, low)], axis=-1))


def grown(rect: Rects, by: float) -> Rects:
    """A rectangle with this much more, or less, on each side."""
    return np.asarray(rect + np.array([-by, -by, by, by]))


def within(rects: Rects, window: Rects) -> NDArray[np.bool_]:
    """Which rectangles lie in a window as a whole."""
    return np.asarray((rects[..., :2] >= window[:2]).all(axis=-1) & (rects[..., 2:] <= window[2:]).all(axis=-1))


def area_of(rects: Rects) -> NDArray[np.float64]:
    """Square pixels."""
    return np.asarray(np.prod(rects[..., 2:] - rects[..., :2], axis=-1))


def overlap_of_each(one: Rects, other: Rects) -> NDArray[np.float64]:
    """Intersection over union, 0-1; shapes broadcast."""
    shared = area_of(clipped(one, other))
    both = area_of(one) + area_of(other) - shared
    return np.divide(shared, both, out=np.zeros(np.broadcast(shared, both).shape), where=both > 0)


def uncovered_share(window: Rects, covers: Sequence[Rects]) -> float:
    """Share of a window that none of these rectangles covers, 0-1, exactly."""
    # A rectangle that lies beside the window would stretch the grid of cuts beyond it.
    inside = [part for cover in covers if area_of(part := clipped(cover, window)) > 0]
    if not inside:
        return 1.0
    cuts = np.vstack([window, *inside])
    rows, cols = np.unique(cuts[:, [0, 2]]), np.unique(cuts[:, [1, 3]])
    free = np.ones((len(rows) - 1, len(cols) - 1), dtype=np.bool_)
    for top, left, bottom, right in inside:
        free[np.searchsorted(rows, top) : np.searchsorted(rows, bottom)][
            :, np.searchsorted(cols, left) : np.searchsorted(cols, right)
        ] = False
    areas = np.outer(np.diff(rows), np.diff(cols))
    return float(areas[free].sum() / areas.sum())


def agreed_shift(points: Points, others: Points, *, reach: float, spread: float) -> tuple[Points, int]:
    """The shift (down, right) of `others` against `points` that most of them agree on, and how many do.

    Every pair within `reach` votes; votes within `spread` of each other are one opinion.
    """
    nothing = np.zeros(2), 0
    if not len(points) or not len(others):
        return nothing
    shifts = (others[None] - points[:, None]).reshape(-1, 2)
    shifts = shifts[np.abs(shifts).max(axis=1) <= reach]
    if not len(shifts):
        return nothing
    alike = (np.abs(shifts[:, None] - shifts[None]) <= spread).all(axis=2)
    agreeing = alike[alike.sum(axis=1).argmax()]
    return np.asarray(np.median(shifts[agreeing], axis=0)), int(agreeing.sum())
