"""What a changed look costs: cells found and white cells named in the same pictures, one thing changed at a time."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluation.detection import DetectionScore
from evaluation.field_table import add_kind, found_by, micrograph_of
from evaluation.labelled_kinds import KINDS
from evaluation.looks import LOOKS, Look
from evaluation.naming import PBC_8, RAABIN_5, Groups, answer_in, group_of
from evaluation.tables import LabelledCrop, LabelledField, read_cell, read_crops, read_fields, spread
from leukoscope.analysis.classifier import Classifier
from leukoscope.analysis.segmenter import Segmenter

FIELDS = ("txl", "deepbionet")
CROPS = {"pbc": ("8 classes", PBC_8), "raabin": ("5 classes", RAABIN_5)}


def looks_table(segmenter: Segmenter, classifier: Classifier, data: Path, limit: int) -> Table:
    """F1 at IoU 0.5 of each kind, and the share of white cells named right, for every look.

    Args:
        segmenter: finds the cells of fields.
        classifier: names those of crops, which are in the middle already.
        data: the data folder.
        limit: at most about so many pictures per set; 0 takes all.
    """
    table = Table(
        title="The same pictures, val, one thing changed: F1 of red cells, white cells, platelets; named right"
    )
    table.add_column("look")
    fields = {name: spread(read_fields(data, name, "val"), limit) for name in FIELDS}
    crops = {name: spread(read_crops(data, name, "val"), limit) for name in CROPS}
    for name in fields:
        table.add_column(name, justify="right")
    for name, (what, _) in CROPS.items():
        table.add_column(f"{name}, {what}", justify="right")
    for look in track(LOOKS, description="looks", transient=True, console=Console(stderr=True)):
        table.add_row(
            look.name,
            *(_found(segmenter, some, look) for some in fields.values()),
            *(f"{_named_right(classifier, some, look, CROPS[name][1]):.3f}" for name, some in crops.items()),
        )
    return table


def _found(segmenter: Segmenter, fields: Sequence[LabelledField], look: Look) -> str:
    scores = {kind: DetectionScore() for kind in KINDS}
    for field in fields:
        given = micrograph_of(field.path, field.um_per_px)
        pixels, um_per_px = look.change(given.pixels, given.um_per_px)
        found = found_by(segmenter, replace(given, pixels=pixels, um_per_px=um_per_px))
        for kind in KINDS:
            add_kind(scores[kind], kind, found, field)
    return " ".join(f"{scores[kind].f1:.3f}" for kind in KINDS)


def _named_right(classifier: Classifier, crops: Sequence[LabelledCrop], look: Look, groups: Groups) -> float:
    asked = [(crop, truth) for crop in crops if (truth := group_of(crop.label, groups)) is not None]
    right = 0
    for crop, truth in asked:
        probabilities = classifier.name_crop(*look.change(read_cell(crop), crop.um_per_px))
        best, _ = classifier.best(probabilities)
        right += answer_in(best, probabilities, groups)[0] == truth
    return right / max(1, len(asked))
