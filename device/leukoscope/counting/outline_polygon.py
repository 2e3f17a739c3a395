"""The outline of a cell as a few corners, small enough to travel with its picture."""

import cv2
import numpy as np
from numpy.typing import NDArray

MOST_CORNERS = 48
_FIRST_TOLERANCE = 2.0
"""Half pixels that the edge may be off: closer, the steps of the pixels make every cell look ragged."""


def polygon_of(outline: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Corners of the largest part of an outline, as close to its edge as MOST_CORNERS allow.

    Args:
        outline: which pixels are cell; shape (rows, cols).

    Returns:
        (x, y) in pixels of the array, whose first pixel has its middle at (0.5, 0.5); empty for an outline of fewer
        than three corners.
    """
    # The contour runs through the middles of the outermost pixels; half pixels bring it closer to their edges.
    halves = outline.repeat(2, axis=0).repeat(2, axis=1)
    found, _ = cv2.findContours(halves.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found:
        return []
    edge = max(found, key=cv2.contourArea)
    tolerance = _FIRST_TOLERANCE
    while len(corners := cv2.approxPolyDP(edge, tolerance, closed=True)) > MOST_CORNERS:
        tolerance *= 1.5
    return [((float(x) + 0.5) / 2, (float(y) + 0.5) / 2) for x, y in corners[:, 0]] if len(corners) > 2 else []
