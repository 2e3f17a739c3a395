"""Signed distances in micrometres (negative inside) from which cells and nuclei are built."""

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.simulation.noise import Random, texture

Distance = NDArray[np.float32]
"""Signed distance in micrometres at each point of a grid; negative inside."""
Points = NDArray[np.float64]
"""Polygon corners in micrometres, shape (n, 2), each (x, y)."""


class Grid:
    """A square of points around a cell's middle."""

    def __init__(self, reach_um: float, um_per_px: float) -> None:
        self.um_per_px = um_per_px
        self.side = 2 * int(np.ceil(reach_um / um_per_px))
        axis = (np.arange(self.side, dtype=np.float32) - (self.side - 1) / 2) * um_per_px
        self.x, self.y = np.meshgrid(axis, axis)

    def warped(self, rng: Random, amount_um: float, grain_um: float) -> "Grid":
        """The same points pushed about by smooth noise, which makes any shape natural."""
        bent = Grid.__new__(Grid)
        bent.um_per_px, bent.side = self.um_per_px, self.side
        grain_px, shape = grain_um / self.um_per_px, (self.side, self.side)
        bent.x = self.x + np.float32(amount_um) * texture(rng, shape, grain_px)
        bent.y = self.y + np.float32(amount_um) * texture(rng, shape, grain_px)
        return bent


def ellipse(grid: Grid, centre: tuple[float, float], radii: tuple[float, float], angle: float = 0.0) -> Distance:
    """An ellipse; the distance is exact only on the outline, which is all that is drawn."""
    x, y = grid.x - np.float32(centre[0]), grid.y - np.float32(centre[1])
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along, across = x * cos + y * sin, y * cos - x * sin
    unit = np.sqrt((along / np.float32(radii[0])) ** 2 + (across / np.float32(radii[1])) ** 2)
    return np.asarray((unit - 1) * np.float32(min(radii)), dtype=np.float32)


def thread(grid: Grid, start: tuple[float, float], end: tuple[float, float], radius: float) -> Distance:
    """A straight thread with round ends."""
    px, py = grid.x - np.float32(start[0]), grid.y - np.float32(start[1])
    dx, dy = np.float32(end[0] - start[0]), np.float32(end[1] - start[1])
    share = np.clip((px * dx + py * dy) / max(dx * dx + dy * dy, np.float32(1e-6)), 0, 1)
    return np.asarray(np.hypot(px - share * dx, py - share * dy) - np.float32(radius), dtype=np.float32)


def merge(one: Distance, other: Distance, softness: float) -> Distance:
    """Union with a fillet of about `softness` micrometres (polynomial smooth minimum, I. Quilez)."""
    share = np.clip(0.5 + 0.5 * (other - one) / softness, 0, 1)
    return np.asarray(other + (one - other) * share - softness * share * (1 - share), dtype=np.float32)


def carve(body: Distance, tool: Distance, softness: float) -> Distance:
    """What is left of `body` when `tool` is cut out of it."""
    return np.asarray(-merge(-body, tool, softness), dtype=np.float32)


def outlines(distance: Distance, um_per_px: float) -> tuple[Points, ...]:
    """The polygons around everything inside, largest first, in micrometres from the grid's middle."""
    inside = (distance < 0).astype(np.uint8)
    found, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    middle = (distance.shape[0] - 1) / 2
    kept = sorted((c for c in found if len(c) > 6), key=cv2.contourArea, reverse=True)
    corners = (cv2.approxPolyDP(contour, 0.6, closed=True)[:, 0, :] for contour in kept)
    return tuple((points.astype(np.float64) - middle) * um_per_px for points in corners)
