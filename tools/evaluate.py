"""Prints how good the bundles are on labelled pictures, beside what a plain method reaches.

tools/evaluate.py                       everything, on the validation split
tools/evaluate.py --engine litert       the same with the other runtime
tools/evaluate.py --only fields --limit 40
tools/evaluate.py --only outlines       Dice of white cells and nuclei
tools/evaluate.py --only focus          what blur does to sharpness, gate and F1
"""

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluation.detection import Boxes, DetectionScore
from evaluation.gate import gate_table
from evaluation.naming import DEEPAPL_7, PBC_8, RAABIN_5, STAGES_5, Groups, best_group, group_of, score
from evaluation.outlines import (
    MASK_SETS,
    WITH_NUCLEI,
    MaskedPicture,
    draw_by_network,
    draw_by_otsu,
    read_masks,
    score_outlines,
)
from evaluation.tables import (
    CROP_UM_PER_PX,
    KINDS,
    LabelledField,
    data_folder,
    read_crops,
    read_fields,
)
from evaluation.watershed import find_by_watershed
from leukoscope.analysis.classification import Classifier
from leukoscope.analysis.segmentation import Segmenter
from leukoscope.assets import find_asset
from leukoscope.cameras.pictures import read_picture
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.optics.calibration import Calibration
from leukoscope.specimen.frame import Frame, Micrograph

Found = Sequence[tuple[str, float, tuple[int, int, int, int]]]
"""Kind, confidence and box [xmin, ymin, xmax, ymax] of each cell."""
_EPOCH = datetime.fromtimestamp(0, UTC)
Item = TypeVar("Item")
FIELD_SETS = (("txl", "val", False), ("deepbionet", "val", False), ("deepbionet", "val", True), ("bccd", "test", False))
"""Set, split, and whether the labels that an annotator mixed up stay as they were given."""


def main(
    segmenter: Annotated[str, typer.Option(help="A segmenter bundle.")] = "segmenter",
    classifier: Annotated[str, typer.Option(help="A classifier bundle.")] = "classifier",
    engine: Annotated[Literal["onnx", "litert"], typer.Option(help="The runtime.")] = "onnx",
    only: Annotated[
        Literal["fields", "outlines", "focus", "crops"] | None, typer.Option(help="One part of it.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many pictures per set; 0 takes all.")] = 0,
) -> None:
    """Print the tables of the model cards."""
    data = data_folder()
    if data is None:
        sys.exit("no labelled pictures found: set LEUKOSCOPE_DATA to the data folder")
    console = Console(width=132)
    settings = OnnxSettings(threads=1) if engine == "onnx" else LitertSettings(threads=1)
    if only != "crops":
        bundle = Bundle.read(find_asset("models", segmenter))
        finder = Segmenter(bundle, settings.open(bundle))
        if only in (None, "fields"):
            console.print(_field_table(finder, bundle, data, engine, limit))
        if only in (None, "outlines"):
            console.print(_outline_table(finder, bundle, data, engine, limit))
        if only in (None, "focus"):
            console.print(_focus_table(finder, data, limit))
    if only in (None, "crops"):
        bundle = Bundle.read(find_asset("models", classifier))
        for table in _crop_tables(Classifier(bundle, settings.open(bundle)), bundle, data, engine, limit):
            console.print(table)


def _field_table(segmenter: Segmenter, bundle: Bundle, data: Path, engine: str, limit: int) -> Table:
    table = Table(title=f"Fields, IoU 0.5: {_name(bundle, engine)} beside Otsu + watershed")
    for column in ("set", "kind", "cells", "F1", "precision", "recall", "AP", "MAE", "of mean", "guess MAE"):
        table.add_column(column, justify="left" if column in ("set", "kind") else "right")
    table.add_column("watershed F1", justify="right")
    table.add_column("its MAE", justify="right")
    for name, split, as_given in FIELD_SETS:
        fields = _spread(read_fields(data, name, split, as_given=as_given), limit)
        what = f"{name} {split}{', labels as given' if as_given else ''}"
        ours = _score(fields, what, lambda field: _by_network(segmenter, field))
        plain = _score(fields, f"{what}, watershed", _by_watershed)
        for kind in KINDS:
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
        mean_ap = np.mean([ours[kind].average_precision for kind in KINDS])
        table.add_row(what, "mean", "", "", "", "", f"{mean_ap:.3f}", end_section=True)
    return table


def _focus_table(segmenter: Segmenter, data: Path, limit: int) -> Table:
    frame = Frame(np.zeros((1, 1, 3), np.uint8), 1, _EPOCH, "file")
    names = ("txl", "deepbionet")
    # Six blurs of each picture: a fifth of them says enough.
    chosen = [(name, _spread(read_fields(data, name, "val")[::5], limit), frame) for name in names]
    return gate_table(segmenter, chosen)


def _outline_table(segmenter: Segmenter, bundle: Bundle, data: Path, engine: str, limit: int) -> Table:
    table = Table(title=f"White cells, Dice with drawn masks: {_name(bundle, engine)} beside Otsu's threshold")
    for column in (
        "set, val",
        "part",
        "pictures",
        "mean",
        "median",
        "missed",
        "mean of found",
        "Otsu mean",
        "its median",
    ):
        table.add_column(column, justify="left" if column in ("set, val", "part") else "right")
    for name in MASK_SETS:
        pictures = _spread(read_masks(data, name, "val"), limit)
        ours = score_outlines(pictures, lambda picture: draw_by_network(segmenter, _micrograph(picture)))
        plain = score_outlines(pictures, lambda picture: draw_by_otsu(read_picture(picture.path)))
        for part, one, other in zip(("whole cell", "nucleus"), ours, plain, strict=True):
            if part == "whole cell" or name in WITH_NUCLEI:
                numbers = (one.mean, one.median, one.missed, one.mean_of_found, other.mean, other.median)
                shown = (str(n) if isinstance(n, int) else f"{n:.4f}" for n in numbers)
                table.add_row(name, part, str(len(pictures)), *shown)
    return table


def _micrograph(picture: LabelledField | MaskedPicture) -> Micrograph:
    frame = Frame(read_picture(picture.path), 1, _EPOCH, "file")
    return Calibration.of_scale(picture.um_per_px).correct(frame)


def _score(
    fields: Sequence[LabelledField], what: str, find: Callable[[LabelledField], Found]
) -> dict[str, DetectionScore]:
    scores = {kind: DetectionScore() for kind in KINDS}
    for field in track(fields, description=what, transient=True, console=Console(stderr=True)):
        found = find(field)
        for kind in KINDS:
            of_kind = [one for one in found if one[0] == kind]
            expected = [(one.xmin, one.ymin, one.xmax, one.ymax) for one in field.boxes if one.kind == kind]
            scores[kind].add(_as_boxes([one[2] for one in of_kind]), [one[1] for one in of_kind], _as_boxes(expected))
    return scores


def _spread(items: Sequence[Item], limit: int) -> Sequence[Item]:
    """About `limit` of the items, evenly spread, or all of them for 0: the first ones may be of one kind."""
    return items[:: max(1, len(items) // limit)] if limit else items


def _as_boxes(boxes: Sequence[Sequence[float]]) -> Boxes:
    return np.asarray(boxes, dtype=np.float32).reshape(-1, 4)


def _by_network(segmenter: Segmenter, field: LabelledField) -> Found:
    cells = segmenter.find_cells(_micrograph(field))
    return [(cell.kind.value, cell.confidence, cell.box.as_xyxy()) for cell in cells]


def _by_watershed(field: LabelledField) -> Found:
    found = find_by_watershed(read_picture(field.path), field.um_per_px)
    return [(kind, 1.0, box) for kind, box in found]


def _crop_tables(classifier: Classifier, bundle: Bundle, data: Path, engine: str, limit: int) -> list[Table]:
    summary = Table(title=f"White cells: {_name(bundle, engine)} beside the most frequent class")
    for column in ("set, val", "classes", "cells", "accuracy", "macro-F1", "guess accuracy"):
        summary.add_column(column, justify="left" if column.startswith("set") else "right")
    per_class = Table(title="F1 by class")
    per_class.add_column("set, val")
    per_class.add_column("F1")
    unsure = Table(title="Unsure")
    for column in ("set, val", "cells", "unsure", "errors", "errors that are unsure"):
        unsure.add_column(column, justify="left" if column.startswith("set") else "right")
    for name, what, groups in (
        ("pbc", "pbc, 8 classes (no patient ids: a random split)", PBC_8),
        ("pbc", "pbc, 5 myeloid stages", STAGES_5),
        ("deepapl", "deepapl, 7 classes, by patient", DEEPAPL_7),
        ("raabin", "raabin, 5 classes, by slide", RAABIN_5),
    ):
        truths, answers, is_unsure = _answers(classifier, data, name, what, groups, limit)
        result = score(truths, answers, groups)
        summary.add_row(
            what,
            str(len(groups)),
            str(result.cells),
            *(f"{value:.4f}" for value in (result.accuracy, result.macro_f1, result.majority_accuracy)),
        )
        per_class.add_row(what, ", ".join(f"{key} {value:.3f}" for key, value in result.f1.items()))
        wrong = np.asarray(truths) != np.asarray(answers)
        caught = float((wrong & is_unsure).sum()) / max(1, int(wrong.sum()))
        unsure.add_row(what, str(result.cells), f"{is_unsure.mean():.1%}", str(int(wrong.sum())), f"{caught:.1%}")
    return [summary, per_class, unsure]


def _answers(
    classifier: Classifier, data: Path, name: str, what: str, groups: Groups, limit: int
) -> tuple[list[str], list[str], np.ndarray]:
    truths, answers, unsure = [], [], []
    crops = _spread(read_crops(data, name, "val"), limit)
    for crop in track(crops, description=what, transient=True, console=Console(stderr=True)):
        truth = group_of(crop.label, groups)
        if truth is None:
            continue
        probabilities = classifier.name_crop(read_picture(crop.path), CROP_UM_PER_PX)
        truths.append(truth)
        answers.append(best_group(probabilities, groups))
        unsure.append(classifier.decide(probabilities)[0] == "unsure")
    return truths, answers, np.asarray(unsure)


def _name(bundle: Bundle, engine: str) -> str:
    return f"{bundle.manifest.name} {bundle.manifest.version} ({engine}, int8)"


if __name__ == "__main__":
    typer.run(main)
