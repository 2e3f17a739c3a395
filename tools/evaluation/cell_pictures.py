"""White cells that a pixel mask shows: which one it is, and its picture with the cell in the middle."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

MASKED_UM_PER_PX = {"krd_wbc": 0.097, "seg_wbc": 0.17}
"""Of the sets in `masks.csv` that say which white cell a mask shows."""
_LABEL_OF_NUMBER = {"1": "neutrophil", "2": "lymphocyte", "3": "monocyte", "4": "eosinophil", "5": "basophil"}


def label_of_mask(given: str) -> str:
    """The label, as crops have it, that a row of `masks.csv` gives by a word or a number."""
    return _LABEL_OF_NUMBER.get(given, given.lower())


def centred_on(picture: NDArray[np.uint8], mask: Path) -> NDArray[np.uint8]:
    """The picture, shifted so that the middle of what its mask shows is its own middle; the edge is mirrored outwards.

    Args:
        picture: shape (rows, cols, 3).
        mask: a grey picture of the same size, 0 where there is no cell.

    Raises:
        ValueError: the mask cannot be read, is of another size or shows nothing.
    """
    shown = cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE)
    rows, cols = picture.shape[:2]
    if shown is None or shown.shape != (rows, cols):
        found = "no picture" if shown is None else f"{shown.shape[1]}x{shown.shape[0]}"
        raise ValueError(f"expected a mask of {cols}x{rows} pixels in {mask}, found {found}")
    left, top, width, height = cv2.boundingRect(shown)
    if width == 0:
        raise ValueError(f"expected a cell in the mask {mask}, found none")
    shift = np.array([[1.0, 0.0, (cols - width) / 2 - left], [0.0, 1.0, (rows - height) / 2 - top]])
    moved = cv2.warpAffine(picture, shift, (cols, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, dtype=np.uint8)
