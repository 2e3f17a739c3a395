"""SIFT descriptors (Lowe 2004) on a fixed grid of a cell's picture, where there is nothing to detect."""

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE_PX = 128


def describe(picture: NDArray[np.uint8], step_px: int, size_px: float) -> NDArray[np.float32]:
    """One descriptor of 128 numbers per place of the grid; the picture is RGB, 128 by 128 pixels."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    places = np.arange(step_px / 2, SIDE_PX, step_px)
    points = [cv2.KeyPoint(float(x), float(y), size_px, 0.0) for y in places for x in places]
    _, found = cv2.SIFT_create().compute(grey, points)  # type: ignore[attr-defined]
    return np.asarray(found / 512, dtype=np.float32)
