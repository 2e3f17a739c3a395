"""Exact percentiles of a picture without sorting it: by counting grey levels, or by sorting only the top."""

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


def high_percentile(values: NDArray[np.float32], percent: float) -> float:
    """What `np.percentile` gives, quickly for a percentile near 100.

    Args:
        values: shape (rows, cols), at least one.
        percent: 0-100.
    """
    place = (values.size - 1) * (percent / 100)
    rank = int(place)
    # A sample tells where the top begins; a margin keeps it from missing some, and a miss costs time alone.
    guess = np.percentile(values[::4, ::4], max(0.0, 100 - 2 * (100 - percent)))
    top = values[values >= guess]
    from_top = values.size - rank
    if top.size < from_top:
        top = values.ravel()
    first = top.size - from_top
    second = min(first + 1, top.size - 1)
    ordered = np.partition(top, (first, second))
    return _between(float(ordered[first]), float(ordered[second]), place - rank)


def _between(low: float, high: float, share: float) -> float:
    return low + (high - low) * share
