"""Single cells as the device meets them: the segmenter has to find each before the classifier may name it."""

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluation.field_table import micrograph_of
from evaluation.naming import DEEPAPL_7, PBC_8, RAABIN_5, STAGES_5, Groups, answer_in, group_of, score
from evaluation.tables import read_crops, spread
from leukoscope.analysis.classifier import Classifier
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.specimen.cell import CellInstance, CellKind, ClassifiedCell
from leukoscope.specimen.frame import Micrograph

TASKS: dict[str, dict[str, Groups]] = {
    "pbc": {"8 classes": PBC_8, "5 myeloid stages": STAGES_5},
    "deepapl": {"7 classes": DEEPAPL_7},
    "raabin": {"5 classes": RAABIN_5},
}
REACH_UM = 6.0
"""The labelled cell's box has its middle no further than this from the crop's: some of deepapl's lie that far off."""
NOT_FOUND = "not found"


def whole_path_table(segmenter: Segmenter, classifier: Classifier, data: Path, limit: int) -> Table:
    """One row per set and what is asked of it; a cell that is not found is named wrong.

    Args:
        segmenter: finds the cells, platelets too.
        classifier: names them where they were found.
        data: the data folder.
        limit: at most about so many cells per set; 0 takes all.
    """
    table = Table(title="Single cells by both networks, val: found, then named where they were found")
    for column in ("set", "what", "cells", "found", "accuracy", "guess"):
        table.add_column(column, justify="left" if column in ("set", "what") else "right")
    for name, asked in TASKS.items():
        crops = spread(read_crops(data, name, "val"), limit)
        named = [
            (crop.label, _found_and_named(segmenter, classifier, micrograph_of(crop.path, crop.um_per_px)))
            for crop in track(crops, description=name, transient=True, console=Console(stderr=True))
        ]
        for what, groups in asked.items():
            cells = [(truth, cell) for label, cell in named if (truth := group_of(label, groups)) is not None]
            answers = [NOT_FOUND if cell is None else _answer(classifier, cell, groups) for _, cell in cells]
            result = score([truth for truth, _ in cells], answers, groups)
            found = 1 - answers.count(NOT_FOUND) / result.cells
            figures = (found, result.accuracy, result.majority_accuracy)
            table.add_row(name, what, str(result.cells), *(f"{value:.4f}" for value in figures))
    return table


def _found_and_named(segmenter: Segmenter, classifier: Classifier, micrograph: Micrograph) -> ClassifiedCell | None:
    cell = cell_in_the_middle(segmenter.find_cells(micrograph), micrograph)
    return None if cell is None else classifier.name_cells(micrograph, [cell])[0]


def _answer(classifier: Classifier, cell: ClassifiedCell, groups: Groups) -> str:
    if cell.instance.kind is CellKind.PLATELET:
        return cell.cell_class
    best, _ = classifier.best(cell.probabilities)
    return answer_in(best, cell.probabilities, groups)[0]


def cell_in_the_middle(cells: tuple[CellInstance, ...], micrograph: Micrograph) -> CellInstance | None:
    """The white cell or platelet whose box has its middle nearest to the picture's, if any is near enough."""
    rows, cols = micrograph.pixels.shape[:2]
    nearest: tuple[float, CellInstance | None] = (REACH_UM, None)
    for cell in cells:
        row, col = cell.box.centre
        away_um = float(np.hypot(row - rows / 2, col - cols / 2)) * micrograph.um_per_px
        if cell.kind is not CellKind.RBC and away_um < nearest[0]:
            nearest = (away_um, cell)
    return nearest[1]
