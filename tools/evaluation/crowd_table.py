"""The table of crowded white cells: labelled ones that were found as one cell each, touching ones apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluation.detection import Boxes, matches
from evaluation.field_table import Found, as_boxes, by_watershed, found_by, micrograph_of
from evaluation.labelled_kinds import KIND_OF_LABEL
from evaluation.tables import LabelledField, read_fields, spread
from leukoscope.analysis.peaks import overlap
from leukoscope.analysis.segmenter import Segmenter

CROWDED = (("taleqani", "val"), ("taleqani", "train"))
"""Sets whose white cells are boxed in part, with their split: false ones cannot be recognised there."""


@dataclass(frozen=True, slots=True)
class OneEach:
    """Labelled white cells and what became of them."""

    cells: int = 0
    found: int = 0
    """Those with a found white cell of their own that overlaps them by half or more."""
    one_each: int = 0
    """Those of them in which no further found white cell has its middle."""
    touching: int = 0
    """Labelled cells whose box meets the box of another."""
    touching_one_each: int = 0

    def __add__(self, other: "OneEach") -> "OneEach":
        return OneEach(
            self.cells + other.cells,
            self.found + other.found,
            self.one_each + other.one_each,
            self.touching + other.touching,
            self.touching_one_each + other.touching_one_each,
        )


def one_each(found: Boxes, confidences: Sequence[float], expected: Boxes) -> OneEach:
    """Count the labelled white cells of one picture.

    Args:
        found: boxes of white cells by the method.
        confidences: of the found boxes.
        expected: boxes by the annotators, of all or some of the white cells.
    """
    if not len(expected):
        return OneEach()
    partner = {labelled: mine for mine, labelled in matches(found, confidences, expected).items()}
    middles = (found[:, :2] + found[:, 2:]) / 2
    touching = (overlap(expected, expected) > 0).sum(axis=1) > 1
    alone = np.zeros(len(expected), dtype=bool)
    for index, (x0, y0, x1, y1) in enumerate(expected):
        inside = (middles[:, 0] > x0) & (middles[:, 0] < x1) & (middles[:, 1] > y0) & (middles[:, 1] < y1)
        alone[index] = index in partner and not np.delete(inside, partner[index]).any()
    return OneEach(
        cells=len(expected),
        found=len(partner),
        one_each=int(alone.sum()),
        touching=int(touching.sum()),
        touching_one_each=int((alone & touching).sum()),
    )


def crowd_table(segmenter: Segmenter, name_of_it: str, data: Path, limit: int) -> Table:
    """White cells of which some are labelled; arguments as in `field_table`."""

    def by_network(field: LabelledField) -> Found:
        return found_by(segmenter, micrograph_of(field.path, field.um_per_px))

    table = Table(title=f"Boxed white cells of crowded leukaemic fields, IoU 0.5: {name_of_it} beside Otsu + watershed")
    for column in ("set", "method", "pictures", "boxed", "found", "as one each", "touching", "as one each of these"):
        table.add_column(column, justify="left" if column in ("set", "method") else "right")
    for name, split in CROWDED:
        fields = spread(read_fields(data, name, split), limit)

        for method, find in (("segmenter", by_network), ("watershed", by_watershed)):
            what = f"{name} {split}"
            sum_up = _count(fields, f"{what}, {method}", find)
            table.add_row(
                what,
                method,
                str(len(fields)),
                str(sum_up.cells),
                f"{sum_up.found / max(1, sum_up.cells):.3f}",
                f"{sum_up.one_each / max(1, sum_up.cells):.3f}",
                str(sum_up.touching),
                f"{sum_up.touching_one_each / max(1, sum_up.touching):.3f}",
            )
    return table


def _count(fields: Sequence[LabelledField], what: str, find: Callable[[LabelledField], Found]) -> OneEach:
    counted = OneEach()
    for field in track(fields, description=what, transient=True, console=Console(stderr=True)):
        white = [one for one in find(field) if one[0] == "wbc"]
        expected = [(box.xmin, box.ymin, box.xmax, box.ymax) for box in field.boxes if KIND_OF_LABEL[box.kind] == "wbc"]
        counted += one_each(as_boxes([one[2] for one in white]), [one[1] for one in white], as_boxes(expected))
    return counted
