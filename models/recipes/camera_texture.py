"""What cameras and their software do to fine detail: grain, halos, too few pixels, smoothing, compression.

Granules tell an eosinophil from a neutrophil, and a phone that sharpens makes granules of its own: of the laboratories
that were never learnt from, those were missed most whose camera's texture was new.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

FEW_PIXELS = (0.4, 0.85)
"""Part of the pixels per side that a coarser camera has."""
GRAIN_PX = (0.6, 2.5)
GRAIN_LEVELS = (1.47, 10.27)
"""Its standard deviation, in grey levels."""
HALO_PX = (1.2, 4.0)
HALO = (0.5, 2.0)
"""How much of the difference to the blurred picture is added once more."""


def few_pixels(picture: Picture, rng: np.random.Generator) -> Picture:
    """As from a camera with fewer pixels, enlarged."""
    height, width = picture.shape[:2]
    share = rng.uniform(*FEW_PIXELS)
    size = (max(1, round(width * share)), max(1, round(height * share)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    enlarged = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(small, (width, height), interpolation=enlarged), dtype=np.uint8)


def denoised(picture: Picture) -> Picture:
    """Edges kept, granules smoothed away."""
    return np.asarray(cv2.medianBlur(picture, 3), dtype=np.uint8)


def grained(picture: Picture, deviates: NDArray[np.float32], rng: np.random.Generator) -> Picture:
    """Grain of some pixels' size, mostly grey.

    Args:
        picture: RGB (height, width, 3).
        deviates: normal ones to cut a window from, more than the picture has values.
        rng: where, how coarse, how much.
    """
    grain = window_of(deviates, picture.shape, rng)
    if rng.random() < 0.6:
        grain = np.repeat(grain[..., :1], 3, axis=2)
    sigma = float(rng.uniform(*GRAIN_PX))
    # A Gaussian leaves independent deviates 1 / (2 sqrt(pi) sigma) of their spread.
    regained = 2 * math.sqrt(math.pi) * sigma
    grain = cv2.GaussianBlur(grain, (0, 0), sigma) * (regained * float(rng.uniform(*GRAIN_LEVELS)))
    return np.asarray(np.clip(picture + grain + 0.5, 0, 255), dtype=np.uint8)


def with_halos(picture: Picture, rng: np.random.Generator) -> Picture:
    """Sharpened far too much, as phones do."""
    return sharpened(picture, float(rng.uniform(*HALO_PX)), float(rng.uniform(*HALO)))


def sharpened(picture: Picture, sigma_px: float, amount: float) -> Picture:
    """The picture plus `amount` times its difference to itself blurred by `sigma_px`."""
    soft = cv2.GaussianBlur(picture, (0, 0), sigma_px)
    return np.asarray(cv2.addWeighted(picture, 1.0 + amount, soft, -amount, 0.0), dtype=np.uint8)


def compressed(picture: Picture, quality: int) -> Picture:
    """Through JPEG of this quality, 0 to 100."""
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED), dtype=np.uint8)


def window_of(deviates: NDArray[np.float32], shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """A part of a long row of numbers, in a shape."""
    count = int(np.prod(shape))
    start = int(rng.integers(0, deviates.size - count))
    return deviates[start : start + count].reshape(shape)
