"""Between real numbers and the 8-bit integers a quantised network computes with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Affine:
    """real = scale * (integer - zero_point), as in Jacob et al. 2018 (arXiv:1712.05877), eq. 1."""

    scale: float
    zero_point: int

    def quantize(self, real: NDArray[np.float32]) -> NDArray[np.int8]:
        """Nearest int8, saturating at the ends of the range."""
        rounded = np.rint(real / self.scale) + self.zero_point
        return np.asarray(np.clip(rounded, -128, 127), dtype=np.int8)

    def dequantize(self, integers: NDArray[np.int8]) -> NDArray[np.float32]:
        """The real numbers that int8 values stand for."""
        return (integers.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)

    def byte_table(self) -> NDArray[np.int8]:
        """int8 code of each byte 0-255 read as value/255: quantises a picture by look-up; shape (256,)."""
        return self.quantize(np.arange(256, dtype=np.float32) / np.float32(255))
