"""The table of found cells: each kind in each set, beside the classical method and the constant guess."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluation.detection import Boxes, DetectionScore, Within
from evaluation.labelled_kinds import COMPLETE, KIND_OF_LABEL, KINDS
from evaluation.tables import LabelledField, read_fields, spread
from evaluation.watershed import find_by_watershed
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.cameras.pictures import read_picture
from leukoscope.optics.calibration import Calibration
from leukoscope.specimen.frame import Frame, Micrograph

Found = Sequence[tuple[str, float, tuple[int, int, int, int]]]
"""Kind, confidence and box [xmin, ymin, xmax, ymax] of each cell."""
EDGE_UM = 0.5
"""A cell that comes this close to the picture's edge is cut by it."""


class FieldSet(NamedTuple):
    """Pictures to judge on."""

    name: str
    split: str
    as_given: bool = False
    """Whether labels that an annotator mixed up stay as they were given."""
    whole_cells: bool = False
    """Whether only cells clear of the picture's edge count, where annotators agree."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Those of which every cell is labelled."""
        return tuple(kind for kind in KINDS if kind in COMPLETE[self.name])

    @property
    def title(self) -> str:
        """In words."""
        how = ", labels as given" if self.as_given else ", cells clear of the edge" if self.whole_cells else ""
        return f"{self.name} {self.split}{how}"


FIELD_SETS = (
    FieldSet("txl", "val"),
    FieldSet("deepbionet", "val"),
    FieldSet("deepbionet", "val", whole_cells=True),
    FieldSet("deepbionet", "val", as_given=True),
    FieldSet("aslan", "val"),
    FieldSet("aslan", "val", whole_cells=True),
    FieldSet("thesis", "val"),
    FieldSet("bccd", "test"),
)
_EPOCH = datetime.fromtimestamp(0, UTC)


def field_table(segmenter: Segmenter, name_of_it: str, data: Path, limit: int) -> Table:
    """F1, precision, recall, average precision and count error at IoU 0.5, of the kinds a set labels completely.

    Args:
        segmenter: to be judged.
        name_of_it: for the title.
        data: the data folder.
        limit: at most so many pictures per set; 0 takes all.
    """
    table = Table(title=f"Fields, IoU 0.5: {name_of_it} beside Otsu + watershed")
    for column in ("set", "kind", "cells", "F1", "precision", "recall", "AP", "MAE", "of mean", "guess MAE"):
        table.add_column(column, justify="left" if column in ("set", "kind") else "right")
    table.add_column("watershed F1", justify="right")
    table.add_column("its MAE", justify="right")
    for one_set in FIELD_SETS:
        fields = spread(read_fields(data, one_set.name, one_set.split, as_given=one_set.as_given), limit)
        what = one_set.title
        ours = _score(
            fields,
            what,
            lambda field: found_by(segmenter, micrograph_of(field.path, field.um_per_px)),
            whole_cells=one_set.whole_cells,
        )
        plain = _score(fields, f"{what}, watershed", by_watershed, whole_cells=one_set.whole_cells)
        for kind in one_set.kinds:
            one, other = ours[kind], plain[kind]
            table.add_row(
                what,
                kind,
                f"{one.mean_count * len(fields):.0f}",
                *(f"{value:.3f}" for value in (one.f1, one.precision, one.recall, one.average_precision)),
                f"{one.count_error:.2f}",
                f"{one.count_error / max(one.mean_count, 1e-9):.1%}",
                f"{one.constant_guess_error:.2f}",
                f"{other.f1:.3f}",
                f"{other.count_error:.2f}",
            )
        mean_ap = np.mean([ours[kind].average_precision for kind in one_set.kinds])
        table.add_row(what, "mean", "", "", "", "", f"{mean_ap:.3f}", end_section=True)
    return table


def micrograph_of(path: Path, um_per_px: float) -> Micrograph:
    """A labelled picture as the segmenter takes it."""
    frame = Frame(read_picture(path), 1, _EPOCH, "file")
    return Calibration.of_scale(um_per_px).correct(frame)


def found_by(segmenter: Segmenter, micrograph: Micrograph) -> Found:
    """What the network finds in a picture."""
    return [(cell.kind.value, cell.confidence, cell.box.as_xyxy()) for cell in segmenter.find_cells(micrograph)]


def add_kind(
    score: DetectionScore, kind: str, found: Found, field: LabelledField, within: Within | None = None
) -> None:
    """Add one picture's cells of one kind to a score, all of them or those within a part of the picture."""
    of_kind = [one for one in found if one[0] == kind]
    expected, doubtful = (
        as_boxes([(one.xmin, one.ymin, one.xmax, one.ymax) for one in boxes if KIND_OF_LABEL[one.kind] == kind])
        for boxes in (field.boxes, field.doubtful)
    )
    boxes, confidences = as_boxes([one[2] for one in of_kind]), [one[1] for one in of_kind]
    score.add(boxes, confidences, expected, within, doubtful)


def _score(
    fields: Sequence[LabelledField], what: str, find: Callable[[LabelledField], Found], *, whole_cells: bool
) -> dict[str, DetectionScore]:
    scores = {kind: DetectionScore() for kind in KINDS}
    for field in track(fields, description=what, transient=True, console=Console(stderr=True)):
        found = find(field)
        for kind in KINDS:
            add_kind(scores[kind], kind, found, field, _inner_part(field) if whole_cells else None)
    return scores


def _inner_part(field: LabelledField) -> Within:
    rows, cols = read_picture(field.path).shape[:2]
    return Within(cols, rows, EDGE_UM / field.um_per_px)


def as_boxes(boxes: Sequence[Sequence[float]]) -> Boxes:
    """Boxes as one array, also when there is none."""
    return np.asarray(boxes, dtype=np.float32).reshape(-1, 4)


def by_watershed(field: LabelledField) -> Found:
    """What the classical method finds in a picture."""
    found = find_by_watershed(read_picture(field.path), field.um_per_px)
    return [(kind, 1.0, box) for kind, box in found]
