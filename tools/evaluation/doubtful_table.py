"""What becomes of pictures that show no cell to be counted, or one too blurred to be named."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluation.focus import blurred
from evaluation.naming import PBC_8, group_of
from evaluation.scales import CROP_UM_PER_PX
from evaluation.tables import LabelledField, read_crops, read_fields, spread
from leukoscope.analysis.classifier import Classifier
from leukoscope.cameras.pictures import read_picture
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.frame import Pixels

SETS = ("pbc", "deepapl", "raabin")
OWN_CLASS = {
    "smudge": ("smudge",),
    "giant_thrombocyte": ("giant_thrombocyte", "thrombocyte_aggregation", "platelet"),
    "thrombocyte_aggregation": ("giant_thrombocyte", "thrombocyte_aggregation", "platelet"),
    "artefact": ("artefact",),
}
"""What a label that is no white cell may rightly be called."""
BLURS_UM = (0.0, 0.5, 0.7, 1.0, 1.4, 2.0)
"""Standard deviations; the gate refuses most fields from about 0.5 µm on."""
BLURRED_PER_SET = 150
WINDOW_UM = 24.0
"""Side of a window, as of the crops."""
FREE_UM = 8.0
"""So far from the middle of a window there is no white cell and no platelet."""
WINDOWS_PER_FIELD = 2

Item = TypeVar("Item")


@dataclass(slots=True)
class Fate:
    """How pictures of one kind were named."""

    cells: int = 0
    own: int = 0
    unsure: int = 0
    set_aside: int = 0
    """Named as something else that does not enter the differential."""
    white_right: int = 0
    white_wrong: int = 0

    def add(self, answer: str, own: tuple[str, ...], is_white: bool) -> None:
        """Count one answer; `own` is what it may rightly be called."""
        self.cells += 1
        if answer == UNSURE:
            self.unsure += 1
        elif answer in own and not is_white:
            self.own += 1
        elif not is_white:
            self.set_aside += 1
        elif answer in own:
            self.white_right += 1
        else:
            self.white_wrong += 1


def doubtful_table(classifier: Classifier, name_of_it: str, data: Path, limit: int) -> Table:
    """Smudges, clumps, artefacts and blurred cells of the validation split; arguments as in `field_table`."""
    white = {one.key for one in classifier.classes if one.in_differential}
    table = Table(title=f"What is not to be counted, val: {name_of_it}")
    for column in (
        "shown",
        "cells",
        "own class",
        "unsure",
        "set aside",
        "a white cell, rightly",
        "a white cell, wrongly",
    ):
        table.add_column(column, justify="left" if column == "shown" else "right")
    fates: dict[str, Fate] = {}
    for what, picture, um_per_px, own in _shown(data, limit):
        answer, *_ = classifier.decide(classifier.name_crop(picture, um_per_px))
        fates.setdefault(what, Fate()).add(answer, own, answer in white)
    for what, fate in fates.items():
        counts = (fate.own, fate.unsure, fate.set_aside, fate.white_right, fate.white_wrong)
        table.add_row(what, str(fate.cells), *(f"{count / fate.cells:.1%}" for count in counts))
    return table


def _shown(data: Path, limit: int) -> Iterator[tuple[str, Pixels, float, tuple[str, ...]]]:
    """What it shows, the picture, its scale, and what it may rightly be called."""
    crops = [crop for name in SETS for crop in spread(read_crops(data, name, "val"), limit)]
    for crop in _watched(crops, "smudges and clumps"):
        if crop.label in OWN_CLASS:
            yield crop.label.replace("_", " "), read_picture(crop.path), CROP_UM_PER_PX, OWN_CLASS[crop.label]
    rng = np.random.default_rng(1)
    fields = [field for name in ("deepbionet", "txl") for field in spread(read_fields(data, name, "val"), limit)]
    for field in _watched(fields, "windows without a white cell"):
        for window in _empty_windows(field, rng):
            yield "red cells and background", window, field.um_per_px, OWN_CLASS["artefact"]
    for blur_um in BLURS_UM:
        what = "white cells as they are" if blur_um == 0 else f"white cells blurred by {blur_um:g} µm"
        for name in SETS:
            named = [
                (crop, PBC_8[group])
                for crop in read_crops(data, name, "val")
                if (group := group_of(crop.label, _WHITE_GROUPS)) is not None
            ]
            for crop, own in spread(named, min(limit or BLURRED_PER_SET, BLURRED_PER_SET)):
                yield what, blurred(read_picture(crop.path), blur_um / CROP_UM_PER_PX), CROP_UM_PER_PX, own


_WHITE_GROUPS = {group: members for group, members in PBC_8.items() if group not in ("erythroblast", "platelet")}


def _watched(items: Iterable[Item], what: str) -> Iterable[Item]:
    return track(items, description=what, transient=True, console=Console(stderr=True))


def _empty_windows(field: LabelledField, rng: np.random.Generator) -> Iterator[Pixels]:
    """Windows around a red cell or around nothing, inside the picture, where nothing else is near the middle."""
    pixels = read_picture(field.path)
    rows, cols = pixels.shape[:2]
    half = round(WINDOW_UM / 2 / field.um_per_px)
    if min(rows, cols) <= 2 * half:
        return
    others = _middles(field, ("wbc", "platelet"))
    red = _middles(field, ("rbc",))
    for number in range(WINDOWS_PER_FIELD):
        middle = rng.uniform([half, half], [cols - half, rows - half])
        if number == 0 and len(red):
            middle = np.clip(red[rng.integers(len(red))], [half, half], [cols - half, rows - half])
        if len(others) == 0 or np.hypot(*(others - middle).T).min() * field.um_per_px >= FREE_UM:
            col, row = (round(float(place)) for place in middle)
            yield np.ascontiguousarray(pixels[row - half : row + half, col - half : col + half])


def _middles(field: LabelledField, kinds: tuple[str, ...]) -> NDArray[np.float64]:
    """x and y of the boxes' middles in pixels, shape (n, 2)."""
    found = [((box.xmin + box.xmax) / 2, (box.ymin + box.ymax) / 2) for box in field.boxes if box.kind in kinds]
    return np.array(found, dtype=np.float64).reshape(-1, 2)
