"""The table of red cells of a laboratory that no network of ours has learnt from: points, where others have boxes."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluation.field_table import as_boxes, found_by, micrograph_of
from evaluation.tables import PointedField, read_points, spread
from evaluation.watershed import find_by_watershed
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.cameras.pictures import read_picture

RED = "rbc"
Box = tuple[int, int, int, int]


def points_table(segmenter: Segmenter, name_of_it: str, data: Path, limit: int) -> Table:
    """How many labelled red cells of thalassaemic smears have a box of their own; arguments as in `field_table`.

    Many red cells carry no label there, so a box without a point says nothing.
    """
    fields = spread(read_points(data, "val"), limit)
    table = Table(title=f"chula_rbc12 val, thalassaemia, never learnt from: {name_of_it} beside Otsu + watershed")
    for column in ("method", "pictures", "labelled red cells", "in a box of their own", "red cells found"):
        table.add_column(column, justify="left" if column == "method" else "right")
    methods: dict[str, Callable[[PointedField], list[Box]]] = {
        "segmenter": lambda field: _red(found_by(segmenter, micrograph_of(field.path, field.um_per_px))),
        "watershed": lambda field: _red(
            (kind, 1.0, box) for kind, box in find_by_watershed(read_picture(field.path), field.um_per_px)
        ),
    }
    for method, find in methods.items():
        labelled = own = found = 0
        for field in track(fields, description=f"chula_rbc12, {method}", transient=True, console=Console(stderr=True)):
            boxes = find(field)
            labelled, found = labelled + len(field.points), found + len(boxes)
            own += points_in_own_box(field.points, boxes)
        table.add_row(method, str(len(fields)), str(labelled), f"{own / max(1, labelled):.3f}", str(found))
    return table


def points_in_own_box(points: Sequence[tuple[float, float]], boxes: Sequence[Box]) -> int:
    """How many points (x, y) lie in a box [xmin, ymin, xmax, ymax] that no point before them took.

    Of several free boxes a point takes the one whose middle is nearest.
    """
    sides = as_boxes(boxes)
    middle = (sides[:, :2] + sides[:, 2:]) / 2
    free = np.ones(len(sides), dtype=np.bool_)
    for point in np.asarray(points, dtype=np.float32).reshape(-1, 2):
        around = np.flatnonzero(free & (sides[:, :2] <= point).all(axis=1) & (point <= sides[:, 2:]).all(axis=1))
        if len(around):
            free[around[np.square(middle[around] - point).sum(axis=1).argmin()]] = False
    return int((~free).sum())


def _red(found: Iterable[tuple[str, float, Box]]) -> list[Box]:
    return [box for kind, _, box in found if kind == RED]
