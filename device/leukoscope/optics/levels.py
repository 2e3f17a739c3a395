"""Exact percentiles of a picture without sorting it, by counting grey levels."""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Levels:
    """How often each grey level occurs in one channel."""

    up_to: NDArray[np.int64]
    """Pixels of each level 0-255 or a lower one, shape (256,)."""

    @classmethod
    def of(cls, channel: NDArray[np.uint8]) -> Self:
        """Count a channel, shape (rows, cols), of at most 2^24 pixels: OpenCV counts in float32."""
        counts = cv2.calcHist([channel], [0], None, [256], (0, 256))
        return cls(np.cumsum(counts.ravel().astype(np.int64)))

    def percentile(self, percent: float) -> float:
        """Level below which `percent` of the pixels lie, interpolated as `np.percentile` does."""
        place = (int(self.up_to[-1]) - 1) * (percent / 100)
        low, high = (int(np.searchsorted(self.up_to, int(rank), side="right")) for rank in (place, np.ceil(place)))
        return _between(low, high, place - int(place))

    def share_below(self, level: float) -> float:
        """Share of the pixels that are darker than a level."""
        darker = int(np.ceil(level))
        return float(self.up_to[min(darker, 256) - 1] / self.up_to[-1]) if darker > 0 else 0.0


def _between(low: float, high: float, share: float) -> float:
    return low + (high - low) * share
