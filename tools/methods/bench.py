"""What all rows share: data, amounts and networks, each read when it is first asked for."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from methods.amounts import Amounts
from methods.cells import LABORATORIES, Cells, read_blood, read_marrow
from methods.device import Networks
from methods.kinds import NoData
from methods.pictures import Picture, read_pictures

LEFT_OUT: tuple[tuple[str, ...], ...] = (("pbc",), ("deepapl",), ("raabin",), ("krd_wbc", "seg_wbc"))
"""Laboratories that are left out together; the two small ones make one."""
NEVER_LEFT_OUT = tuple(set(LABORATORIES) - {name for fold in LEFT_OUT for name in fold})


class Bench:
    """Read once, used by every row."""

    def __init__(self, data: Path | None, amounts: Amounts, folder: Path) -> None:
        self._data = data
        self.amounts = amounts
        self.folder = folder
        """For what may be thrown away."""
        self.networks = Networks()

    @property
    def data(self) -> Path:
        """The folder of labelled pictures; raises NoData where there is none."""
        if self._data is None:
            raise NoData("no data: set LEUKOSCOPE_DATA to the data folder")
        return self._data

    @cached_property
    def train(self) -> Cells:
        """Cells of blood to learn from."""
        return read_blood(self.data, "train", self.amounts.train_cells)

    @cached_property
    def val(self) -> Cells:
        """Cells of blood to judge on."""
        return read_blood(self.data, "val", self.amounts.val_cells)

    @cached_property
    def unlabelled(self) -> Cells:
        """Cells of laboratories that are never left out: what features learn from without labels."""
        return self.train.where(np.isin(self.train.laboratories, NEVER_LEFT_OUT))

    @cached_property
    def marrow_train(self) -> Cells:
        """Cells of the ten stages to learn from."""
        return read_marrow(self.data, "train", self.amounts.train_cells // 2)

    @cached_property
    def marrow_val(self) -> Cells:
        """Cells of the ten stages to judge on."""
        return read_marrow(self.data, "val", self.amounts.val_cells // 2)

    @cached_property
    def tuning(self) -> Mapping[str, Sequence[Picture]]:
        """Fields and outlines to tune on."""
        return read_pictures(self.data, "train", self.amounts.tuning_pictures)

    @cached_property
    def judged(self) -> Mapping[str, Sequence[Picture]]:
        """Fields and outlines to judge on."""
        return read_pictures(self.data, "val", self.amounts.val_pictures)
