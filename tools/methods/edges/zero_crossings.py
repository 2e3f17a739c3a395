"""Where the Laplacian of the smoothed picture changes its sign steeply."""

import numpy as np
from scipy.ndimage import gaussian_laplace, maximum_filter, minimum_filter

from methods.kinds import EdgeDetector, Flags


def draw(grey: np.typing.NDArray[np.float64], um_per_px: float, strength: float) -> Flags:
    """The limit on the step at the crossing is a quantile of the local range."""
    answer = gaussian_laplace(grey, 0.5 / um_per_px)
    low, high = minimum_filter(answer, 3), maximum_filter(answer, 3)
    step = high - low
    return np.asarray((low < 0) & (high > 0) & (answer > 0) & (step > np.quantile(step, strength)))


METHOD = EdgeDetector("zero crossings", "Marr & Hildreth 1980", draw, (0.6, 0.8, 0.9))
