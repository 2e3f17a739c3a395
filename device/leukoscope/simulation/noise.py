"""Seeded randomness: a generator per place on the slide, textures, and a height map without seams."""

import cv2
import numpy as np
from numpy.typing import NDArray

Random = np.random.Generator
_FINE_PX = 20.0
"""Below this a blur makes the texture; above, where a blur would be slow, a coarse grid stretched."""


def generator(*key: int) -> Random:
    """A generator that depends on the whole key; negative parts are allowed."""
    return np.random.default_rng([part & 0xFFFFFFFF for part in key])


def texture(rng: Random, shape: tuple[int, int], grain_px: float) -> NDArray[np.float32]:
    """Smooth noise of mean 0 and standard deviation 1; blobs are about `grain_px` across."""
    rows, cols = shape
    if grain_px < _FINE_PX:
        white = rng.standard_normal((rows, cols), dtype=np.float32)
        return _standard(cv2.GaussianBlur(white, (0, 0), max(grain_px / 3.2, 0.3)))
    spacing = max(grain_px / 2, 1.0)
    coarse = rng.standard_normal((int(rows / spacing) + 4, int(cols / spacing) + 4), dtype=np.float32)
    size = (int(coarse.shape[1] * spacing) + 1, int(coarse.shape[0] * spacing) + 1)
    fine = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)[1 : rows + 1, 1 : cols + 1]
    return _standard(fine)


def _standard(plane: NDArray[np.generic]) -> NDArray[np.float32]:
    values = np.asarray(plane, dtype=np.float32)
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-6), dtype=np.float32)


class Waves:
    """A smooth random function of the place on an endless slide: a sum of plane waves, roughly in [-1, 1]."""

    _COUNT = 8

    def __init__(self, rng: Random, wavelength_um: float) -> None:
        angle = rng.uniform(0, 2 * np.pi, self._COUNT)
        length = wavelength_um * rng.uniform(0.6, 1.8, self._COUNT)
        self._kx = 2 * np.pi * np.cos(angle) / length
        self._ky = 2 * np.pi * np.sin(angle) / length
        self._phase = rng.uniform(0, 2 * np.pi, self._COUNT)

    def at(self, x_um: NDArray[np.float64] | float, y_um: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """The value at each place; the shape is that of the coordinates."""
        x, y = np.asarray(x_um)[..., None], np.asarray(y_um)[..., None]
        waves = np.sin(self._kx * x + self._ky * y + self._phase)
        return np.asarray(waves.sum(axis=-1) / (0.5 * self._COUNT))
