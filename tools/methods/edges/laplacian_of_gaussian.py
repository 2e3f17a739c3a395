"""Where the Laplacian of the smoothed picture is strong."""

import numpy as np
from scipy.ndimage import gaussian_laplace
from skimage.morphology import skeletonize

from methods.kinds import EdgeDetector, Flags


def draw(grey: np.typing.NDArray[np.float64], um_per_px: float, strength: float) -> Flags:
    """The limit is a quantile of the Laplacian's positive side, the dark side of an edge."""
    answer = gaussian_laplace(grey, 0.4 / um_per_px)
    return np.asarray(skeletonize(answer > np.quantile(answer, strength)))


METHOD = EdgeDetector("Laplacian of Gaussian", "Marr & Hildreth 1980", draw, (0.8, 0.9, 0.95))
