"""How cells make room for each other on the glass."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 4
_YIELD = 0.42
"""Share of the missing distance that each of two red cells gives way per round; some overlap remains."""


@dataclass(frozen=True, slots=True)
class Discs:
    """Cells as discs, in micrometres."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    radius: NDArray[np.float64]
    room: NDArray[np.float64]
    """How far apart two middles must be, over the radii's sum; of two cells the smaller room counts."""

    @staticmethod
    def joined(parts: "Sequence[Discs]") -> "Discs":
        """All of them, in order."""
        names = ("x", "y", "radius", "room")
        return Discs(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def only(self, which: NDArray[np.bool_]) -> "Discs":
        """Those that are marked."""
        return Discs(self.x[which], self.y[which], self.radius[which], self.room[which])

    def near(self, top: float, left: float, side: float, margin: float) -> NDArray[np.bool_]:
        """Which have their middle within `margin` of a square tile."""
        return np.asarray(
            (self.x > left - margin)
            & (self.x < left + side + margin)
            & (self.y > top - margin)
            & (self.y < top + side + margin)
        )

    def clear_of(self, others: "Discs", share: float) -> NDArray[np.bool_]:
        """Which of these keep more than `share` of the two radii's sum from every other disc."""
        apart = np.hypot(self.x[:, None] - others.x, self.y[:, None] - others.y)
        return np.asarray((apart > share * (self.radius[:, None] + others.radius)).all(axis=1))

    def first_in_line(self, rank: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which stay when, of two that overlap, the one of lower rank goes (Matern's second thinning)."""
        apart = np.hypot(self.x[:, None] - self.x, self.y[:, None] - self.y)
        clash = apart < 0.97 * (self.radius[:, None] + self.radius)
        return np.asarray(~(clash & (rank[None, :] > rank[:, None])).any(axis=1))


def settle(every: Discs, movable: NDArray[np.bool_], white: Discs) -> Discs:
    """Push the movable red cells off each other and off white cells, which do not move."""
    red = every.only(movable)
    x, y = red.x.copy(), red.y.copy()
    touching = (red.radius[:, None] + red.radius) * np.minimum(red.room[:, None], red.room)
    np.fill_diagonal(touching, 0.0)
    for _ in range(_ROUNDS):
        dx, dy = x[:, None] - x, y[:, None] - y
        apart = np.hypot(dx, dy)
        push = _YIELD * np.clip(touching - apart, 0, None) / np.maximum(apart, 0.3)
        step_x, step_y = (push * dx).sum(axis=1), (push * dy).sum(axis=1)
        x, y = x + step_x, y + step_y
        dx, dy = x[:, None] - white.x, y[:, None] - white.y
        apart = np.hypot(dx, dy)
        push = 0.9 * np.clip(red.radius[:, None] + white.radius - apart, 0, None) / np.maximum(apart, 0.3)
        x, y = x + (push * dx).sum(axis=1), y + (push * dy).sum(axis=1)
    settled = Discs(every.x.copy(), every.y.copy(), every.radius, every.room)
    settled.x[movable], settled.y[movable] = x, y
    return settled
