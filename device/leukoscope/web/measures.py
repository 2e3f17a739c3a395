"""What is measured of a cell by its outline."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one cell."""

    area_um2: float
    diameter_um: float
    """Of the circle of the same area."""
    roundness: float
    """4 pi area / perimeter squared (Cox 1927): 1 for a circle, less for every other shape."""


def measured(outline: Sequence[tuple[float, float]], um_per_px: float) -> Measures | None:
    """Measures of an outline; None where it is not known.

    Args:
        outline: its corners, (x, y) in pixels.
        um_per_px: of the picture.
    """
    sides = list(zip(outline, [*outline[1:], *outline[:1]], strict=True))
    area_px = abs(sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in sides)) / 2
    perimeter_px = sum(math.dist(one, other) for one, other in sides)
    if not area_px:
        return None
    area_um2 = area_px * um_per_px**2
    return Measures(area_um2, 2 * math.sqrt(area_um2 / math.pi), 4 * math.pi * area_px / perimeter_px**2)
