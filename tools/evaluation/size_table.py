"""What showing the classifier cells at their usual size brings, a laboratory at a time (`optics.size_reference`)."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluation.field_table import micrograph_of
from evaluation.naming import PBC_8, group_of
from evaluation.tables import LabelledCrop, read_cell, read_crops, spread
from evaluation.whole_path_table import cell_in_the_middle
from leukoscope.analysis.classifier import Classifier
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.optics.size_reference import WHITE_CELL_UM, bounded
from leukoscope.specimen.cell import UNSURE

SETS = ("pbc", "raabin", "deepapl", "taleqani", "cnmc")
FAMILIES = {key: PBC_8[key] for key in PBC_8 if key not in ("erythroblast", "platelet")} | {"blast": ("blast",)}
"""White cells by family; blasts stand for themselves."""


def size_table(segmenter: Segmenter, classifier: Classifier, data: Path, limit: int) -> Table:
    """One row per set: cells named of their family, as they are and at their usual size.

    All of these sets taught the shipped classifier their sizes, so this says what a reference costs or brings where the
    network knows the laboratory; the size is the median of the set's own white cells, as the segmenter outlines them.

    Args:
        segmenter: outlines the cells.
        classifier: names them.
        data: the data folder.
        limit: at most so many cells per set; 0 takes all.
    """
    table = Table(title="White cells, val: named of their family as they are, and at their usual size")
    for column in ("set", "cells", "median µm", "shown times", "named", "unsure", "named so", "unsure so"):
        table.add_column(column, justify="left" if column == "set" else "right")
    for name in SETS:
        crops = [one for one in read_crops(data, name, "val") if group_of(one.label, FAMILIES) is not None]
        chosen = spread(crops, limit)
        watched = track(chosen, description=name, transient=True, console=Console(stderr=True))
        sizes_um = [size for one in watched if (size := _diameter_um(segmenter, one)) is not None]
        median_um = statistics.median(sizes_um)
        times = bounded(WHITE_CELL_UM / median_um)
        as_they_are, so = _named(classifier, chosen), _named(classifier.showing_cells(times), chosen)
        table.add_row(name, str(len(chosen)), f"{median_um:.1f}", f"{times:.2f}", *as_they_are, *so)
    return table


def _diameter_um(segmenter: Segmenter, crop: LabelledCrop) -> float | None:
    micrograph = micrograph_of(crop.path, crop.um_per_px)
    cell = cell_in_the_middle(segmenter.find_cells(micrograph), micrograph)
    return None if cell is None else cell.diameter_um


def _named(classifier: Classifier, crops: Sequence[LabelledCrop]) -> tuple[str, str]:
    """Shares named of their family, and unsure."""
    names = [classifier.decide(classifier.name_crop(read_cell(one), one.um_per_px)).cell_class for one in crops]
    right = sum(
        group_of(name, FAMILIES) == group_of(one.label, FAMILIES) for name, one in zip(names, crops, strict=True)
    )
    return f"{right / len(crops):.3f}", f"{names.count(UNSURE) / len(crops):.3f}"
