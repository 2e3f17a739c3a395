"""Contrast limited adaptive histogram equalisation of the lightness."""

import cv2
import numpy as np

from methods.device import Pixels
from methods.kinds import Preprocessing

LIMIT = 2.0


def apply(pixels: Pixels, um_per_px: float) -> Pixels:
    """Equalise the lightness of Lab in eight by eight tiles."""
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    lightness = cv2.createCLAHE(LIMIT, (8, 8)).apply(np.ascontiguousarray(lab[..., 0]))
    lab[..., 0] = lightness
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), dtype=np.uint8)


METHOD = Preprocessing("CLAHE", "Zuiderveld 1994", apply)
