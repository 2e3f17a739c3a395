"""Prints how good the bundles are on labelled pictures, beside what a plain method reaches.

tools/evaluate.py                       everything, on the validation split
tools/evaluate.py --engine litert       the same with the other runtime
tools/evaluate.py --only fields --limit 40
tools/evaluate.py --only outlines       Dice of white cells and nuclei
tools/evaluate.py --only focus          what blur does to sharpness, gate and F1; five minutes, or --limit 20
tools/evaluate.py --only crops          named cells, blasts, calibration, both networks, what is not to be counted
tools/evaluate.py --only looks          what another lamp, stain, camera or a wrong scale costs; minutes
tools/evaluate.py --only copies         which of these cells are in the training split as well; minutes
tools/evaluate.py --only plausible      real fields refused as no stained smear, spoilt ones and other things; an hour
tools/evaluate.py --only sizes          what it brings to show the classifier cells at their usual size
tools/evaluate.py --only simulation     the same networks in the simulated world (needs no data)
"""

import sys
from functools import partial
from typing import Annotated, Literal

import typer
from rich.console import Console

from evaluation.copies import copies_table
from evaluation.crop_tables import crop_tables
from evaluation.crowd_table import crowd_table
from evaluation.doubtful_table import doubtful_table
from evaluation.field_table import field_table
from evaluation.gate import gate_tables
from evaluation.looks_table import looks_table
from evaluation.outline_table import outline_table
from evaluation.plausible_table import plausible_table
from evaluation.points_table import points_table
from evaluation.simulation_table import simulation_table
from evaluation.size_table import size_table
from evaluation.tables import data_folder
from evaluation.whole_path_table import whole_path_table
from leukoscope.analysis.classifier import Classifier
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.errors import LeukoscopeError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.engines import EngineSettings
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.system.assets import find_asset

Part = Literal["fields", "outlines", "focus", "crops", "looks", "copies", "plausible", "sizes", "simulation"]


def main(
    segmenter: Annotated[str, typer.Option(help="A segmenter bundle.")] = "segmenter",
    classifier: Annotated[str, typer.Option(help="A classifier bundle.")] = "classifier",
    engine: Annotated[Literal["onnx", "litert"], typer.Option(help="The runtime.")] = "onnx",
    only: Annotated[Part | None, typer.Option(help="One part of it.")] = None,
    split: Annotated[
        Literal["val", "train"], typer.Option(help="Of named cells: what was learnt, to compare.")
    ] = "val",
    limit: Annotated[int, typer.Option(help="At most so many pictures per set; 0 takes all.")] = 0,
) -> None:
    """Print the tables of the model cards."""
    console = Console(width=132)
    settings: EngineSettings = OnnxSettings(threads=1) if engine == "onnx" else LitertSettings(threads=1)
    try:
        finder_bundle, namer_bundle = (Bundle.read(find_asset("models", name)) for name in (segmenter, classifier))
        finder = Segmenter(finder_bundle, settings.open(finder_bundle))
        namer = Classifier(namer_bundle, settings.open(namer_bundle))
    except LeukoscopeError as error:
        sys.exit(f"leukoscope: {error}")
    if only in (None, "simulation"):
        console.print(simulation_table(finder, namer))
    if only == "simulation":
        return
    data = data_folder()
    if data is None:
        sys.exit("no labelled pictures found: set LEUKOSCOPE_DATA to the data folder")
    if only in (None, "fields"):
        console.print(field_table(finder, _name(finder_bundle, settings), data, limit))
        console.print(points_table(finder, _name(finder_bundle, settings), data, limit))
        console.print(crowd_table(finder, _name(finder_bundle, settings), data, limit))
    if only in (None, "outlines"):
        console.print(outline_table(finder, _name(finder_bundle, settings), data, limit))
    if only in (None, "focus"):
        for table in gate_tables(finder, data, limit):
            console.print(table)
    if only in (None, "crops"):
        for table in crop_tables(namer, _name(namer_bundle, settings), data, limit, split):
            console.print(table)
        console.print(whole_path_table(finder, namer, data, limit))
        console.print(doubtful_table(namer, _name(namer_bundle, settings), data, limit))
    looks, sizes = partial(looks_table, finder, namer), partial(size_table, finder, namer)
    for part, table_of in (
        ("looks", looks),
        ("sizes", sizes),
        ("plausible", partial(plausible_table, finder)),
        ("copies", copies_table),
    ):
        if only in (None, part):
            console.print(table_of(data, limit))


def _name(bundle: Bundle, settings: EngineSettings) -> str:
    return f"{bundle.manifest.name} {bundle.manifest.version} ({settings.driver}, int8)"


if __name__ == "__main__":
    typer.run(main)
