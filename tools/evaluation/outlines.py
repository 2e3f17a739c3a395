"""Scores of drawn white cells and nuclei against masks, beside Otsu's threshold."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.cell_pictures import WITHOUT_SCALE
from evaluation.scales import MASK_UM_PER_PX
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.frame import Micrograph, Pixels

MASK_SETS = ("krd_wbc", "seg_wbc", "sigtuple")
"""Masks of whole cells; `seg_wbc` tells the nucleus
(255) from the cytoplasm (128). The set `bccd_nucleus` is left out: its masks show whole cells, whatever its name."""
WITH_NUCLEI = frozenset({"seg_wbc"})
MISSED = 0.1
Flags = NDArray[np.bool_]


class Drawn(NamedTuple):
    """White cells of one picture and their nuclei, each of the picture's shape."""

    cell: Flags
    nucleus: Flags


@dataclass(frozen=True, slots=True)
class MaskedPicture:
    """One picture with a drawn mask."""

    path: Path
    mask: Path
    um_per_px: float

    def truth(self) -> Drawn:
        """What the annotators drew.

        Raises:
            ValueError: the mask is not a readable picture.
        """
        grey = cv2.imread(str(self.mask), cv2.IMREAD_GRAYSCALE)
        if grey is None:
            raise ValueError(f"expected a mask at {self.mask}, found no readable picture")
        return Drawn(np.asarray(grey > 0), np.asarray(grey > 200))


@dataclass(frozen=True, slots=True)
class DiceScore:
    """Dice coefficients of a set of pictures."""

    mean: float
    """Of all pictures."""
    median: float
    missed: int
    """Pictures under MISSED: the cell was not found, or the mask lies elsewhere."""
    mean_of_found: float
    """Of the others: what the outlines alone are worth."""


def read_masks(data: Path, name: str, split: str) -> list[MaskedPicture]:
    """Pictures of one set in `masks.csv`.

    Args:
        data: the data folder.
        name: one of MASK_SETS.
        split: "train" or "val".
    """
    with (data / "masks.csv").open(newline="", encoding="utf-8") as file:
        return [
            MaskedPicture(data / row["image"], data / row["mask"], MASK_UM_PER_PX[name])
            for row in csv.DictReader(file)
            if row["split"] == split and row["mask"].startswith(f"masks/{name}/") and row["image"] not in WITHOUT_SCALE
        ]


def draw_by_network(segmenter: Segmenter, micrograph: Micrograph) -> Drawn:
    """Every white cell the instrument finds."""
    cell, nucleus = (np.zeros(micrograph.pixels.shape[:2], dtype=np.bool_) for _ in range(2))
    for found in segmenter.find_cells(micrograph):
        if found.kind is CellKind.WBC and found.nucleus is not None:
            box = np.s_[found.box.row : found.box.row_end, found.box.col : found.box.col_end]
            cell[box] |= found.outline
            nucleus[box] |= found.nucleus
    return Drawn(cell, nucleus)


def draw_by_otsu(pixels: Pixels) -> Drawn:
    """The classical way: Otsu's threshold parts glass from cells, and once more cells from nuclei.

    White cells are the pieces of foreground with a nucleus in them. It works on the green channel.
    """
    green = np.asarray(cv2.GaussianBlur(pixels[..., 1], (0, 0), 1.0), dtype=np.uint8)
    foreground = green <= _otsu(green.ravel())
    nucleus = foreground & (green <= _otsu(green[foreground]))
    _, names = cv2.connectedComponents(foreground.astype(np.uint8))
    return Drawn(np.isin(names, np.unique(names[nucleus])), nucleus)


def score_outlines(
    pictures: Sequence[MaskedPicture], draw: Callable[[MaskedPicture], Drawn]
) -> tuple[DiceScore, DiceScore]:
    """Dice of cells and of nuclei over whole pictures; the latter means something for WITH_NUCLEI alone."""
    cells, nuclei = [], []
    for picture in pictures:
        truth, drawn = picture.truth(), draw(picture)
        cells.append(dice(drawn.cell, truth.cell))
        nuclei.append(dice(drawn.nucleus, truth.nucleus))
    return _summed_up(cells), _summed_up(nuclei)


def dice(one: Flags, other: Flags) -> float:
    """Twice the shared area over the sum of areas (Dice 1945), 0-1; 1 where both are empty."""
    total = np.count_nonzero(one) + np.count_nonzero(other)
    return 2 * np.count_nonzero(one & other) / total if total else 1.0


def _summed_up(values: Sequence[float]) -> DiceScore:
    every = np.asarray(values)
    found = every[every >= MISSED]
    of_found = float(found.mean()) if found.size else 0.0
    return DiceScore(float(every.mean()), float(np.median(every)), int((every < MISSED).sum()), of_found)


def _otsu(levels: NDArray[np.uint8]) -> float:
    limit, _ = cv2.threshold(levels.reshape(1, -1), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return float(limit)
