"""Sobel's gradient above a limit, thinned."""

import numpy as np
from skimage.filters import gaussian, sobel
from skimage.morphology import skeletonize

from methods.kinds import EdgeDetector, Flags


def draw(grey: np.typing.NDArray[np.float64], um_per_px: float, strength: float) -> Flags:
    """The limit is a quantile of the gradient."""
    gradient = sobel(gaussian(grey, 0.2 / um_per_px))
    return np.asarray(skeletonize(gradient > np.quantile(gradient, strength)))


METHOD = EdgeDetector("Sobel", "Sobel & Feldman 1968", draw, (0.8, 0.9, 0.95))
