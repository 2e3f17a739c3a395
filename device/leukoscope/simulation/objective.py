"""What the light path does: diffraction, defocus, smear by motion, vignetting and an uneven lamp."""

from math import ceil, hypot

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.simulation.noise import Random

NUMERICAL_APERTURE = 1.25
_WAVELENGTH_UM = 0.55
_REFRACTIVE_INDEX = 1.515
DIFFRACTION_SIGMA_UM = 0.21 * _WAVELENGTH_UM / NUMERICAL_APERTURE
"""Gaussian that fits the Airy disc (Zhang, Zerubia and Olivo-Marin 2007)."""
CONE = NUMERICAL_APERTURE / (_REFRACTIVE_INDEX**2 - NUMERICAL_APERTURE**2) ** 0.5
"""Radius of the blur disc over the defocus: the tangent of the light cone's half-angle in oil."""


def defocused(light: NDArray[np.float32], defocus_um: float, um_per_px: float) -> NDArray[np.float32]:
    """Light (rows, cols, 3) after diffraction and, out of focus, a disc as wide as the cone of light."""
    sharp = cv2.GaussianBlur(light, (0, 0), max(DIFFRACTION_SIGMA_UM / um_per_px, 0.3))
    radius = abs(defocus_um) * CONE / um_per_px
    if radius < 0.5:
        return np.asarray(sharp, dtype=np.float32)
    reach = ceil(radius) + 1
    axis = np.arange(-reach, reach + 1)
    disc = np.clip(radius + 0.5 - np.hypot(axis[:, None], axis), 0, 1).astype(np.float32)
    return np.asarray(cv2.filter2D(sharp, -1, disc / disc.sum()), dtype=np.float32)


def smeared(light: NDArray[np.float32], dx_px: float, dy_px: float) -> NDArray[np.float32]:
    """Light (rows, cols, 3) while the stage moves by (dx, dy) pixels during the exposure."""
    length = hypot(dx_px, dy_px)
    if length < 0.5:
        return light
    reach = ceil(length / 2) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for share in np.linspace(-0.5, 0.5, 4 * reach + 1):
        kernel[round(reach + share * dy_px), round(reach + share * dx_px)] += 1
    return np.asarray(cv2.filter2D(light, -1, kernel / kernel.sum()), dtype=np.float32)


def illumination(
    height: int, width: int, vignetting: float, lamp_gradient: float, dust_spots: int, rng: Random
) -> NDArray[np.float32]:
    """Share of the light that reaches each pixel, shape (rows, cols, 1), at most about 1."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = (y - height / 2) / (height / 2), (x - width / 2) / (width / 2)
    off_x, off_y = rng.uniform(-0.15, 0.15, 2)
    plane = 1 - vignetting * ((x - off_x) ** 2 + (y - off_y) ** 2) / 2
    angle = rng.uniform(0, 2 * np.pi)
    plane *= 1 - lamp_gradient * (1 + (x * np.cos(angle) + y * np.sin(angle)) / np.sqrt(2)) / 2
    for _ in range(dust_spots):
        row, col = rng.uniform(0, height), rng.uniform(0, width)
        size = rng.uniform(0.01, 0.03) * width
        rows, cols = np.mgrid[:height, :width]
        plane *= 1 - rng.uniform(0.03, 0.1) * np.exp(-(((rows - row) ** 2 + (cols - col) ** 2) / size**2))
    return np.asarray(plane[..., None], dtype=np.float32)
