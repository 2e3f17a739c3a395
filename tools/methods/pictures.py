"""The fields and drawn outlines that segmentations are tuned and judged on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.outlines import WITH_NUCLEI, Drawn, read_masks
from evaluation.tables import LabelledField, read_fields, spread
from methods.device import Pixels, read_picture

FIELD_SETS = ("txl", "deepbionet", "aslan", "thesis")
OUTLINE_SETS = ("krd_wbc", "seg_wbc")


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture and what is known about it."""

    source: str
    pixels: Pixels
    um_per_px: float
    field: LabelledField | None = None
    """With a box for each red cell."""
    drawn: Drawn | None = None
    """The outlines of its white cells and nuclei."""

    @property
    def has_nuclei(self) -> bool:
        """Whether nuclei were drawn apart from cells."""
        return self.drawn is not None and self.source in WITH_NUCLEI


def read_pictures(data: Path, split: str, most: int) -> Mapping[str, Sequence[Picture]]:
    """Up to `most` pictures of each set by its name; a set that is not there is empty."""
    found = {name: _fields(data, name, split, most) for name in FIELD_SETS}
    return found | {name: _outlined(data, name, split, most) for name in OUTLINE_SETS}


def _fields(data: Path, name: str, split: str, most: int) -> list[Picture]:
    try:
        fields = spread(read_fields(data, name, split), most)[:most]
    except FileNotFoundError:
        return []
    return [Picture(name, read_picture(one.path), one.um_per_px, field=one) for one in fields]


def _outlined(data: Path, name: str, split: str, most: int) -> list[Picture]:
    try:
        masks = spread(read_masks(data, name, split), most)[:most]
    except FileNotFoundError:
        return []
    return [Picture(name, read_picture(one.path), one.um_per_px, drawn=one.truth()) for one in masks]
