"""Sharpening: the Laplacian is taken away from the picture."""

import numpy as np
from skimage.filters import gaussian, laplace

from methods.device import Pixels
from methods.kinds import Preprocessing

SIGMA_UM = 0.15
WEIGHT = 1.0


def apply(pixels: Pixels, um_per_px: float) -> Pixels:
    """Sharpen each colour; the Laplacian is of the smoothed picture."""
    planes = []
    for k in range(3):
        soft = gaussian(pixels[..., k], SIGMA_UM / um_per_px, preserve_range=True)
        planes.append(pixels[..., k] + WEIGHT * laplace(soft))
    return np.asarray(np.clip(np.rint(np.stack(planes, axis=-1)), 0, 255), dtype=np.uint8)


METHOD = Preprocessing("Laplacian sharpening", "Gonzalez & Woods", apply)
