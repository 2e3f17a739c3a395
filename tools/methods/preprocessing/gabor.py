"""Edges of four directions, found by Gabor filters, darken the picture."""

import cv2
import numpy as np

from methods.device import Pixels
from methods.kinds import Preprocessing

WAVELENGTH_UM = 1.5
WEIGHT = 0.3


def apply(pixels: Pixels, um_per_px: float) -> Pixels:
    """Take the strongest answer of the four directions away from every colour."""
    wavelength = WAVELENGTH_UM / um_per_px
    side = 2 * round(wavelength) + 1
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey -= grey.mean()
    answers = []
    for angle in np.arange(4) * np.pi / 4:
        kernel = cv2.getGaborKernel((side, side), 0.4 * wavelength, float(angle), wavelength, 1.0, np.pi / 2)
        answers.append(np.abs(cv2.filter2D(grey, cv2.CV_32F, kernel / np.abs(kernel).sum())))
    strongest = np.max(answers, axis=0)[..., None]
    return np.asarray(np.clip(np.rint(pixels - WEIGHT * strongest), 0, 255), dtype=np.uint8)


METHOD = Preprocessing("Gabor filter", "Gabor 1946; Daugman 1985", apply)
