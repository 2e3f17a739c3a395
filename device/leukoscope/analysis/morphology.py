"""The shape of an outline, in numbers a haematologist would recognise."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

ROUND_AXIS_RATIO = 0.80
"""Minor over major axis below which a red cell is not round (ovalocytes and elliptocytes lie below)."""
ROUND_SOLIDITY = 0.92
"""Area over convex area below which an outline is notched or spiked."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the outline alone tells."""

    axis_ratio: float
    """Minor over major axis of the ellipse with the same second moments, 0-1; 1 is a circle."""
    solidity: float
    """Area over the area of the convex hull, 0-1; 1 has no notch."""

    @property
    def irregular(self) -> bool:
        """Neither round nor smooth."""
        return self.axis_ratio < ROUND_AXIS_RATIO or self.solidity < ROUND_SOLIDITY


def shape_of(outline: NDArray[np.bool_]) -> Shape:
    """Measure an outline.

    Args:
        outline: which pixels are cell, shape (rows, cols).

    Raises:
        ValueError: the outline is empty.
    """
    picture = outline.astype(np.uint8)
    moments = cv2.moments(picture, binaryImage=True)
    area = moments["m00"]
    if area == 0:
        raise ValueError("expected an outline with at least one pixel, found none")
    # A pixel is a square, not a point: its own second moment of 1/12 is part of the shape's.
    spread = np.array([[moments["mu20"], moments["mu11"]], [moments["mu11"], moments["mu02"]]]) / area + np.eye(2) / 12
    minor, major = np.sqrt(np.linalg.eigvalsh(spread))
    hull = cv2.convexHull(_pixel_corners(picture))
    return Shape(float(minor / major), min(1.0, float(area / cv2.contourArea(hull))))


def _pixel_corners(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The corners of all rim pixels: a hull through pixel middles would be half a pixel too small."""
    contours, _ = cv2.findContours(picture, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate([contour[:, 0] for contour in contours]).astype(np.float32)
    steps = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]], dtype=np.float32)
    return np.asarray((points[:, None] + steps).reshape(-1, 2), dtype=np.float32)
