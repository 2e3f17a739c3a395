"""Chooses a segmenter's thresholds on validation pictures, as the device finds them with the int8 network.

The best mean mark over the laboratories, one threshold per kind, and another for cells that the picture's edge cuts:
annotators disagree about slivers, so a score means less there. The mark is F1; of red cells, which stand in every
ratio's denominator, also how far their number is off.
"""

import itertools
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from evaluation.detection import DetectionScore
from evaluation.field_table import add_kind
from evaluation.labelled_kinds import KINDS
from evaluation.tables import LabelledField, read_fields
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.cameras.pictures import read_picture
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.optics.calibration import Calibration
from leukoscope.specimen.cell import CellInstance
from leukoscope.specimen.frame import Frame

CANDIDATES = tuple(round(float(value), 3) for value in np.arange(0.25, 0.601, 0.025))
SETS = ("txl", "deepbionet")
"""Those that label every kind. Aslan and thesis box every red cell that the edge cuts, deepbionet part of them: a
threshold at the edge that suits the former costs the latter a point of F1."""
CROWDED = {"wbc": "taleqani"}
"""Sets that box a part of the cells of a kind: which part of these is found counts, too. Touching blasts are what a
threshold chosen on fields of normal blood loses first."""
COUNTED = "rbc"

Judged = list[tuple[LabelledField, tuple[CellInstance, ...]]]


class Thresholds(NamedTuple):
    """By kind: inside the picture, and for cells its edge cuts."""

    inside: Mapping[str, float]
    edge: Mapping[str, float]


def choose_thresholds(bundle: Bundle, data: Path) -> Thresholds:
    """The thresholds for a segmenter's bundle, whose own are not looked at."""
    segmenter = _sensitive(bundle)
    sets = (*SETS, *CROWDED.values())
    judged = {name: _find_all(segmenter, read_fields(data, name, "val"), name) for name in sets}
    inside: dict[str, float] = {}
    edge: dict[str, float] = {}
    for kind in KINDS:
        pairs = itertools.product(CANDIDATES, CANDIDATES)
        scored = {pair: [_score(judged[name], kind, *pair) for name in SETS] for pair in pairs}
        marks = {pair: sum(_mark(one, kind) for one in scores) for pair, scores in scored.items()}
        if kind in CROWDED:
            for pair in marks:
                marks[pair] += _score(judged[CROWDED[kind]], kind, *pair).recall
        # Of pairs that fare alike the stricter: fields of laboratories not seen hold more that looks like a cell.
        best = max(marks, key=lambda pair: (round(marks[pair], 6), pair))
        inside[kind], edge[kind] = best
        shown = ", ".join(
            f"{name} F1 {one.f1:.3f}, number off by {one.count_error / one.mean_count:.1%}"
            for name, one in zip(SETS, scored[best], strict=True)
        )
        print(f"{kind}: {best[0]} inside, {best[1]} at the edge: {shown}", flush=True)
    return Thresholds(inside, edge)


def _sensitive(bundle: Bundle) -> Segmenter:
    """A segmenter that finds everything that could be a cell, down to the lowest candidate."""
    low = dict.fromkeys(KINDS, CANDIDATES[0])
    assert bundle.manifest.segmenter is not None
    facts = bundle.manifest.segmenter.model_copy(update={"thresholds": low, "edge_thresholds": low})
    bundle = Bundle(bundle.folder, bundle.manifest.model_copy(update={"segmenter": facts}))
    return Segmenter(bundle, OnnxSettings(threads=1).open(bundle))


def _find_all(segmenter: Segmenter, fields: Sequence[LabelledField], name: str) -> Judged:
    judged = []
    for field in track(fields, description=name, transient=True, console=Console(stderr=True)):
        frame = Frame(read_picture(field.path), 1, datetime.now(UTC), "file")
        judged.append((field, segmenter.find_cells(Calibration.of_scale(field.um_per_px).correct(frame))))
    return judged


def _mark(score: DetectionScore, kind: str) -> float:
    off = score.count_error / score.mean_count if kind == COUNTED else 0.0
    return float(score.f1 - off)


def _score(judged: Judged, kind: str, inside: float, edge: float) -> DetectionScore:
    score = DetectionScore()
    for field, cells in judged:
        found = [
            cell
            for cell in cells
            if cell.kind.value == kind and cell.confidence >= (edge if cell.touches_border else inside)
        ]
        add_kind(score, kind, [(kind, cell.confidence, cell.box.as_xyxy()) for cell in found], field)
    return score
