"""Writes a bundle's figures into its card: tables between two marks, confusion matrices and reliability as PNG.

    models/recipes/card.py --bundle models/classifier --exported DIR

What stands outside the marks was written by a person and is left alone. A card that is missing is begun.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from tables import add_collection, collected, data_folder
from vocabulary import Vocabulary

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from evaluation.crop_tables import crop_tables
from evaluation.crowd_table import crowd_table
from evaluation.doubtful_table import doubtful_table
from evaluation.field_table import field_table
from evaluation.looks_table import looks_table
from evaluation.naming import reliability
from evaluation.outline_table import outline_table
from evaluation.points_table import points_table
from evaluation.reliability_plots import draw_confusion, draw_reliability
from evaluation.whole_path_table import whole_path_table
from leukoscope.analysis.classifier import Classifier
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.inference.validation import ConfusionMatrix, Validation
from leukoscope.system.assets import find_asset
from validate_classifier import NamedCrop, name_all

BEGIN, END = "<!-- figures: written by recipes/card.py -->", "<!-- end of figures -->"
CARD, FIGURES = "CARD.md", "figures"
LOOKS_LIMIT = 60
"""Pictures per set, each of which is looked at twenty times."""


def main() -> None:
    """Judge a bundle once more and write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--exported", type=Path, required=True, help="what export.py wrote")
    parser.add_argument("--facts", type=Path, required=True, help="as for pack.py")
    add_collection(parser)
    options = parser.parse_args()
    bundle = Bundle.read(options.bundle)
    compared = json.loads((options.exported / "compared.json").read_text("utf-8"))
    if bundle.manifest.kind == "segmenter":
        parts = _segmenter_parts(bundle)
    else:
        named = name_all(bundle, collected(options, "val"), Vocabulary.read(options.facts))
        parts = _classifier_parts(bundle, named, shared=options.folder is None)
    write(bundle, "\n\n".join([*parts, "int8 against float, as `recipes/export.py` saw them:", _compared(compared)]))


def write(bundle: Bundle, figures: str) -> None:
    """Put the figures between the marks of the bundle's card."""
    path = bundle.folder / CARD
    manifest = bundle.manifest
    begun = f"# {manifest.name} {manifest.version}\n\nLicence: {manifest.licence}.\n\n{BEGIN}\n{END}\n"
    text = path.read_text("utf-8") if path.exists() else begun
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{figures}\n{END}{after}", "utf-8")


def _segmenter_parts(bundle: Bundle) -> list[str]:
    segmenter = Segmenter(bundle, OnnxSettings(threads=1).open(bundle))
    name = f"{bundle.manifest.name} {bundle.manifest.version}, int8, ONNX Runtime"
    data = data_folder()
    tables = (field_table, points_table, crowd_table, outline_table)
    return [as_markdown(table(segmenter, name, data, 0)) for table in tables]


def _classifier_parts(bundle: Bundle, named: Sequence[NamedCrop], *, shared: bool) -> list[str]:
    facts = bundle.manifest.classifier
    path = bundle.validation_path()
    assert facts is not None
    assert path is not None
    folder = bundle.folder / FIGURES
    folder.mkdir(exist_ok=True)
    classifier = Classifier(bundle, OnnxSettings(threads=1).open(bundle))
    name = f"{bundle.manifest.name} {bundle.manifest.version}, int8, ONNX Runtime"
    parts = []
    if shared:
        data = data_folder()
        finding = Bundle.read(find_asset("models", "segmenter"))
        finder = Segmenter(finding, OnnxSettings(threads=1).open(finding))
        tables = [
            *crop_tables(classifier, name, data, 0),
            whole_path_table(finder, classifier, data, 0),
            looks_table(finder, classifier, data, LOOKS_LIMIT),
            doubtful_table(classifier, name, data, 0),
        ]
        parts = [as_markdown(table) for table in tables]
    for matrix in Validation.read(path).matrices:
        file = f"confusion-{matrix.collection}.png"
        draw_confusion(matrix, folder / file)
        parts += [_recalls(matrix), f"![{matrix.collection}, truth against answer]({FIGURES}/{file})"]
    surest = [(one, *classifier.best(one.probabilities)) for one in named]
    bins = reliability([share for *_, share in surest], [_right(facts.groups, one, best) for one, best, _ in surest])
    draw_reliability(bins, folder / "reliability.png")
    return [*parts, f"![Probability of the named group against the share that is right]({FIGURES}/reliability.png)"]


def _right(groups: Any, one: NamedCrop, best: str) -> bool:
    """Whether the best class is of a group that the label may mean."""

    def group_of(key: str) -> str:
        return next((group for group, members in groups.items() if key in members), key)

    return group_of(best) in {group_of(key) for key in one.meant}


def _recalls(matrix: ConfusionMatrix) -> str:
    table = Table(title=f"{matrix.collection}, held out by {matrix.held_out_by}: what its cells are called")
    for column in ("label", "cells", "called"):
        table.add_column(column, justify="right" if column == "cells" else "left")
    for label, row in zip(matrix.truth, matrix.counts, strict=True):
        called = sorted(zip(row, matrix.named, strict=True), reverse=True)
        table.add_row(label, str(sum(row)), ", ".join(f"{name} {count}" for count, name in called[:4] if count))
    return as_markdown(table)


def _compared(compared: dict[str, dict[str, Any]]) -> str:
    rows = {engine: _flat(figures) for engine, figures in compared.items()}
    names = [name for name in next(iter(rows.values())) if name != "ms"]
    head = f"| | {' | '.join(rows)} |\n|---|{'---|' * len(rows)}\n"
    return head + "\n".join(
        f"| {name} | " + " | ".join(f"{figures[name]:.4f}" for figures in rows.values()) + " |" for name in names
    )


def _flat(figures: dict[str, Any]) -> dict[str, float]:
    flat: dict[str, float] = {}
    for name, value in figures.items():
        flat |= {f"{name} {key}": one for key, one in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def as_markdown(table: Table) -> str:
    """A table of the terminal as one of Markdown, its title above it."""
    rows = list(zip(*(list(column.cells) for column in table.columns), strict=True))
    head = "| " + " | ".join(str(column.header) for column in table.columns) + " |"
    rule = "|" + "|".join("---:" if column.justify == "right" else "---" for column in table.columns) + "|"
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join([f"{table.title}", "", head, rule, *lines])


if __name__ == "__main__":
    main()
