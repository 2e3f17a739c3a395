"""Chooses thresholds on validation pictures and writes them into the recipes' facts, for pack.py.

    tools/choose_thresholds.py            prints the choice
    tools/choose_thresholds.py --write    and puts it into models/recipes/segmenter.toml and classifier.toml

Segmenter: the best mean F1 over the two laboratories. A cell that the picture's edge cuts has a threshold
of its own: annotators disagree about slivers, so a score means less there. Classifier: the highest limit
at which no more than `MAX_UNSURE` of the cells are unsure.
"""

import itertools
import math
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from evaluation.detection import DetectionScore
from evaluation.tables import CROP_UM_PER_PX, KINDS, LabelledField, data_folder, read_crops, read_fields
from leukoscope.analysis.classification import Classifier
from leukoscope.analysis.segmentation import Segmenter
from leukoscope.assets import find_asset
from leukoscope.cameras.pictures import read_picture
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.optics.calibration import Calibration
from leukoscope.specimen.cell import CellInstance
from leukoscope.specimen.frame import Frame

CANDIDATES = tuple(round(float(value), 3) for value in np.arange(0.25, 0.601, 0.025))
SETS = ("txl", "deepbionet")
CROP_SETS = ("pbc", "deepapl", "raabin")
MAX_UNSURE = 0.05
RECIPE = Path(__file__).resolve().parents[1] / "models" / "recipes" / "segmenter.toml"
CLASSIFIER_RECIPE = RECIPE.with_name("classifier.toml")

Judged = list[tuple[LabelledField, tuple[CellInstance, ...]]]


def main(write: Annotated[bool, typer.Option("--write", help="Write the choice into the recipe.")] = False) -> None:
    """Choose and print, and write when asked."""
    data = data_folder()
    if data is None:
        sys.exit("no labelled pictures found: set LEUKOSCOPE_DATA to the data folder")
    judged = {name: _find_all(read_fields(data, name, "val"), name) for name in SETS}
    inside, edge = {}, {}
    for kind in KINDS:
        pairs = itertools.product(CANDIDATES, CANDIDATES)
        scored = {pair: [_f1(judged[name], kind, *pair) for name in SETS] for pair in pairs}
        best = max(scored, key=lambda pair, scored=scored: sum(scored[pair]))  # type: ignore[misc]
        inside[kind], edge[kind] = best
        scores = ", ".join(f"{name} {f1:.3f}" for name, f1 in zip(SETS, scored[best], strict=True))
        print(f"{kind}: {best[0]} inside, {best[1]} at the edge: F1 {scores}")
    unsure_below = _choose_unsure(data)
    if write:
        _write_segmenter(inside, edge)
        _write_classifier(unsure_below)


def _choose_unsure(data: Path) -> float:
    bundle = Bundle.read(find_asset("models", "classifier"))
    classifier = Classifier(bundle, OnnxSettings().open(bundle))
    crops = [crop for name in CROP_SETS for crop in read_crops(data, name, "val")]
    confidences = [
        max(classifier.name_crop(read_picture(crop.path), CROP_UM_PER_PX).values())
        for crop in track(crops, description="crops", transient=True, console=Console(stderr=True))
    ]
    limit = math.floor(100 * float(np.quantile(confidences, MAX_UNSURE))) / 100
    print(f"unsure below {limit}: {np.mean(np.asarray(confidences) < limit):.1%} of {len(crops)} cells are unsure")
    return limit


def _find_all(fields: list[LabelledField], name: str) -> Judged:
    """Everything that could be a cell, down to the lowest candidate."""
    bundle = Bundle.read(find_asset("models", "segmenter"))
    low = dict.fromkeys(KINDS, CANDIDATES[0])
    assert bundle.manifest.segmenter is not None
    facts = bundle.manifest.segmenter.model_copy(update={"thresholds": low, "edge_thresholds": low})
    bundle = Bundle(bundle.folder, bundle.manifest.model_copy(update={"segmenter": facts}))
    segmenter = Segmenter(bundle, OnnxSettings().open(bundle))
    judged = []
    for field in track(fields, description=name, transient=True, console=Console(stderr=True)):
        frame = Frame(read_picture(field.path), 1, datetime.now(UTC), "file")
        judged.append((field, segmenter.find_cells(Calibration.of_scale(field.um_per_px).correct(frame))))
    return judged


def _f1(judged: Judged, kind: str, inside: float, edge: float) -> float:
    score = DetectionScore()
    for field, cells in judged:
        found = [
            cell
            for cell in cells
            if cell.kind.value == kind and cell.confidence >= (edge if cell.touches_border else inside)
        ]
        expected = [(box.xmin, box.ymin, box.xmax, box.ymax) for box in field.boxes if box.kind == kind]
        score.add(
            np.array([cell.box.as_xyxy() for cell in found], np.float32).reshape(-1, 4),
            [cell.confidence for cell in found],
            np.array(expected, np.float32).reshape(-1, 4),
        )
    return score.f1


def _write_classifier(unsure_below: float) -> None:
    text = CLASSIFIER_RECIPE.read_text("utf-8")
    CLASSIFIER_RECIPE.write_text(re.sub(r"unsure_below = .*", f"unsure_below = {unsure_below}", text), "utf-8")


def _write_segmenter(inside: dict[str, float], edge: dict[str, float]) -> None:
    """Replace both threshold tables at the end of the recipe."""
    text = re.sub(r"\n\[segmenter\.(edge_)?thresholds\]\n(?:[a-z]+ = .*\n)*", "", RECIPE.read_text("utf-8"))
    for name, table in (("thresholds", inside), ("edge_thresholds", edge)):
        text += f"\n[segmenter.{name}]\n" + "".join(f"{kind} = {value}\n" for kind, value in table.items())
    RECIPE.write_text(text, "utf-8")


if __name__ == "__main__":
    typer.run(main)
