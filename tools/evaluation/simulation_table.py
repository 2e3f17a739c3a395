"""The table of the simulated world: whether networks that learnt from real pictures find their way there."""

from collections import Counter, defaultdict

import numpy as np
from rich.table import Table

from evaluation.detection import DetectionScore
from evaluation.field_table import as_boxes
from leukoscope.analysis.classifier import Classifier
from leukoscope.analysis.peaks import overlap
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.cameras.simulated import SimulatedCameraSettings
from leukoscope.optics.calibration import Calibration
from leukoscope.simulation.microscope import VisibleCell
from leukoscope.simulation.smear import SmearSettings
from leukoscope.simulation.white_classes import WHITE_CLASSES
from leukoscope.specimen.cell import CellKind, ClassifiedCell
from leukoscope.system.assets import find_asset

SEEDS = (11, 12, 13)
FIELDS_PER_SLIDE = 25
SHOWN = 4
"""Answers shown per class."""


def simulation_table(segmenter: Segmenter, classifier: Classifier) -> Table:
    """F1 per kind at IoU 0.5, and what the whole white cells of each simulated class are called."""
    calibration = Calibration.read(find_asset("calibration", "simulated.toml"))
    scores = {kind: DetectionScore() for kind in CellKind}
    called: dict[str, Counter[str]] = defaultdict(Counter)
    for seed in SEEDS:
        smear = SmearSettings(seed=seed, white_per_1000_rbc=80.0, differential=dict.fromkeys(WHITE_CLASSES, 1.0))
        camera = SimulatedCameraSettings(smear=smear).open()
        for _ in range(FIELDS_PER_SLIDE):
            micrograph = calibration.correct(camera.capture())
            found = classifier.name_cells(micrograph, segmenter.find_cells(micrograph))
            for kind, score in scores.items():
                of_kind = [one.instance for one in found if one.instance.kind is kind]
                there = [cell.box.as_xyxy() for cell in camera.truth if cell.kind is kind]
                boxes = as_boxes([one.box.as_xyxy() for one in of_kind])
                score.add(boxes, [one.confidence for one in of_kind], as_boxes(there))
            for cell in camera.truth:
                if cell.kind is CellKind.WBC and not cell.touches_border:
                    called[cell.cell_class][_answer(cell, found)] += 1
    summary = ", ".join(f"{kind.value} {score.f1:.3f}" for kind, score in scores.items())
    table = Table(title=f"Simulated slides: F1 {summary}; whole white cells by class")
    table.add_column("class")
    table.add_column("cells", justify="right")
    table.add_column("called")
    for cell_class in WHITE_CLASSES:
        answers = called[cell_class]
        shown = ", ".join(f"{answer} {count}" for answer, count in answers.most_common(SHOWN))
        table.add_row(cell_class, str(answers.total()), shown)
    return table


def _answer(cell: VisibleCell, found: tuple[ClassifiedCell, ...]) -> str:
    """The class of the white cell found where this one is, or "missed"."""
    white = [one for one in found if one.instance.kind is CellKind.WBC]
    if not white:
        return "missed"
    boxes = as_boxes([one.instance.box.as_xyxy() for one in white])
    shared = overlap(as_boxes([cell.box.as_xyxy()]), boxes)[0]
    best = int(np.argmax(shared))
    return white[best].cell_class if shared[best] >= 0.5 else "missed"
