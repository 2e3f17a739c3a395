"""Whether a picture of eight bits was decoded twice: a second decoding leaves some grey levels and no others."""

import numpy as np
from numpy.typing import NDArray

FIRST_LEVEL = 64
"""From here up a decoding skips levels, and what it skips tells; below it puts several into one."""
LEAST_LEVELS = 32
"""So many levels that occur, all of them such as a decoding leaves, are no chance: one in three is skipped."""
EVERY_COLUMN, ROWS = 12, 100
"""Every twelfth column of about a hundred rows is enough; a large picture may lie in a file."""


def decoded_twice(pixels: NDArray[np.uint8]) -> bool:
    """Whether all levels are those that decoding eight bits once more leaves.

    It shows in a picture that was decoded by a table of 256 levels and then stored without loss. JPEG and every change
    of size or light afterwards fill the gaps; a camera that decodes more than eight bits leaves none.

    Args:
        pixels: as a camera or a file gave them, before light or size are corrected, shape (rows, cols, 3).
    """
    few = pixels[:: max(1, len(pixels) // ROWS), ::EVERY_COLUMN]
    seen = np.bincount(few.ravel(), minlength=256)[FIRST_LEVEL:] > 0
    return bool(np.count_nonzero(seen) >= LEAST_LEVELS and not (seen & _SKIPPED).any(axis=1).all())


def _skipped(decoded: NDArray[np.float64], *, rounded: bool) -> NDArray[np.bool_]:
    """The levels from `FIRST_LEVEL` on that a table does not give."""
    levels = 255 * decoded + (0.5 if rounded else 0.0)
    given = np.bincount(levels.astype(np.uint8), minlength=256) > 0
    return np.asarray(~given[FIRST_LEVEL:])


def _tables() -> NDArray[np.bool_]:
    """Of sRGB (IEC 61966-2-1) and of the power 2.2 that often stands for it, rounded and cut off; shape (4, levels)."""
    encoded = np.arange(256) / 255
    srgb = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return np.array([_skipped(one, rounded=rounded) for one in (srgb, encoded**2.2) for rounded in (True, False)])


_SKIPPED = _tables()
