"""Canny's edges."""

import numpy as np
from skimage.feature import canny

from methods.kinds import EdgeDetector, Flags


def draw(grey: np.typing.NDArray[np.float64], um_per_px: float, strength: float) -> Flags:
    """Both limits are quantiles of the gradient; the lower one is half-way to all."""
    edges = canny(grey, 0.4 / um_per_px, strength / 2 + 0.4, strength, use_quantiles=True)
    return np.asarray(edges)


METHOD = EdgeDetector("Canny", "Canny 1986", draw, (0.8, 0.9, 0.95))
