"""White cells that a mask or a point shows: which one it is, and the picture with it in the middle."""

import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

NAMED_MASKS = ("krd_wbc", "seg_wbc")
"""The sets in `masks.csv` that say which white cell a mask shows."""
WITHOUT_SCALE = frozenset(
    f"masks/sigtuple/{name}.webp" for name in ("017532875DDF", "1467973104", "1467973122", "1467973178", "54A84627F362")
)
"""Of the masked pictures: overviews of unknown scale, stretched, among tiles of one scale."""
READ_BY_EYE = ("deepbionet", "bccd")
"""The sets that came without names of white cells: `models/recipes/white_cells_by_eye.csv` has them."""
_BY_EYE = Path(__file__).resolve().parents[2] / "models" / "recipes" / "white_cells_by_eye.csv"
_LABEL_OF_NUMBER = {"1": "neutrophil", "2": "lymphocyte", "3": "monocyte", "4": "eosinophil", "5": "basophil"}


def label_of_mask(given: str) -> str:
    """The label, as crops have it, that a row of `masks.csv` gives by a word or a number."""
    return _LABEL_OF_NUMBER.get(given, given.lower())


def read_by_eye(split: str) -> Iterator[dict[str, str]]:
    """Rows of white cells in fields that one reader named: image, x, y, um_per_px, label, group, split."""
    with _BY_EYE.open(newline="", encoding="utf-8") as table:
        yield from (row for row in csv.DictReader(table) if row["split"] == split)


def in_the_middle(
    picture: NDArray[np.uint8], mask: Path | None, centre: tuple[float, float] | None
) -> NDArray[np.uint8]:
    """The picture (rows, cols, 3) with its cell in the middle: shown by a mask, by a point (x, y), or there already."""
    if mask is not None:
        return centred_on(picture, mask)
    return picture if centre is None else centred_at(picture, *centre)


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
    return centred_at(picture, left + width / 2, top + height / 2)


def centred_at(picture: NDArray[np.uint8], x: float, y: float) -> NDArray[np.uint8]:
    """The picture (rows, cols, 3), shifted so that the point (x, y) is its middle; the edge is mirrored outwards."""
    rows, cols = picture.shape[:2]
    shift = np.array([[1.0, 0.0, cols / 2 - x], [0.0, 1.0, rows / 2 - y]])
    moved = cv2.warpAffine(picture, shift, (cols, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, dtype=np.uint8)
