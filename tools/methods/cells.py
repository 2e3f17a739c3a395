"""The named white cells of all laboratories, evenly drawn from laboratory and class."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.naming import PBC_8, STAGES_10, Groups, group_of
from evaluation.tables import LabelledCrop, read_cell, read_crops, spread
from methods.device import window_around
from methods.kinds import NoData, Pictures, Words

SIDE_PX = 128
UM_PER_PX = 0.15
LABORATORIES = ("pbc", "deepapl", "raabin", "krd_wbc", "seg_wbc", "deepbionet", "bccd", "taleqani")
"""cnmc is left out: its cells are cut out on black, which would tell blasts by the black."""
MARROW = ("pathbites", "pbc", "deepapl")
BLOOD: Groups = PBC_8 | {"blast": ("blast",), "smudge": ("smudge",)}
"""Which labels are drawn."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Pictures of cells with their names."""

    pictures: Pictures
    labels: Words
    laboratories: Words

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, wanted: np.typing.NDArray[np.bool_]) -> "Cells":
        """Some of them."""
        return Cells(self.pictures[wanted], self.labels[wanted], self.laboratories[wanted])


def read_blood(data: Path, split: str, most: int) -> Cells:
    """About `most` cells of blood; raises NoData where there are none."""
    return _read(data, split, most, LABORATORIES, BLOOD)


def read_marrow(data: Path, split: str, most: int) -> Cells:
    """About `most` cells of the ten stages of maturation, named by their stage."""
    found = _read(data, split, most, MARROW, STAGES_10)
    stages = [group_of(label, STAGES_10) or "" for label in found.labels.tolist()]
    return Cells(found.pictures, np.array(stages), found.laboratories)


def _read(data: Path, split: str, most: int, laboratories: Sequence[str], groups: Groups) -> Cells:
    drawn: dict[tuple[str, str], list[LabelledCrop]] = defaultdict(list)
    for laboratory in laboratories:
        try:
            crops = read_crops(data, laboratory, split)
        except FileNotFoundError as error:
            raise NoData(f"no data: {error.filename}") from error
        for crop in crops:
            label = "neutrophil" if crop.label.startswith("neutrophil") else crop.label
            if group_of(label, groups) is not None:
                drawn[laboratory, label].append(crop)
    if not drawn:
        raise NoData(f"no data: no named cells of {', '.join(laboratories)} ({split})")
    pictures, labels, origins = [], [], []
    for (laboratory, label), kept in _evenly(drawn, most).items():
        for crop in kept:
            pictures.append(_window(crop))
            labels.append(label)
            origins.append(laboratory)
    return Cells(np.stack(pictures), np.array(labels), np.array(origins))


def _evenly(
    drawn: Mapping[tuple[str, str], Sequence[LabelledCrop]], most: int
) -> dict[tuple[str, str], Sequence[LabelledCrop]]:
    """As many of each laboratory's class as of any other, as far as there are so many."""
    share = 1
    while sum(min(len(some), share + 1) for some in drawn.values()) <= most and share < max(map(len, drawn.values())):
        share += 1
    return {key: spread(some, share)[:share] for key, some in drawn.items()}


def _window(crop: LabelledCrop) -> np.typing.NDArray[np.uint8]:
    picture = read_cell(crop)[..., :3]
    rows, cols = picture.shape[:2]
    step = UM_PER_PX / crop.um_per_px
    return window_around(np.ascontiguousarray(picture), (rows / 2, cols / 2), step, (SIDE_PX, SIDE_PX))
