"""`leukoscope examine` and `leukoscope classify`: stored pictures instead of a camera."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from leukoscope.analysis.segmenter import Segmenter
from leukoscope.cameras.pictures import read_picture
from leukoscope.cli.each_picture import for_each_picture
from leukoscope.cli.options import JsonOption
from leukoscope.cli.picture_json import LabelFolder, classify_crop, examine_pages
from leukoscope.cli.scale_check import ScaleCheck
from leukoscope.errors import CalibrationError
from leukoscope.inference.engines import EngineSettings
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.optics.size_reference import Reference
from leukoscope.service.bench_naming import models_for_pictures
from leukoscope.service.models import (
    micrograph_of_scale,
    open_classifier,
    open_instrument_for_pictures,
    open_segmenter,
)
from leukoscope.settings import BenchSettings, ModelSettings
from leukoscope.system.memory import give_back_large_buffers
from leukoscope.system.standard_output import printable

SAME_SCALE = 0.02
"""Pictures and reference may be said to differ by this share: a rounding."""
SCALE_CROPS = 50
"""Crops whose surroundings are looked at for red cells, to judge the scale by."""

EngineOption = Annotated[Literal["onnx", "litert"], typer.Option(help="The runtime that computes the networks.")]
ThreadsOption = Annotated[int, typer.Option(min=1, max=64, help="Threads of the runtime.")]
ScaleOption = Annotated[float, typer.Option(help="Micrometres per pixel of the pictures.", min=0.01, max=2.0)]
SegmenterOption = Annotated[str, typer.Option(help="A segmenter bundle: its folder, or its name under models/.")]
ReferenceOption = Annotated[
    Path | None,
    typer.Option("--reference", help="Size of this bench's cells: what `leukoscope reference` wrote."),
]
BenchNetworksOption = Annotated[
    Path | None,
    typer.Option(
        "--bench",
        help="Networks, engine and cell size of this bench (its TOML), instead of the options that name them.",
    ),
]
ClassifierOption = Annotated[str, typer.Option(help="A classifier bundle: its folder, or its name under models/.")]


def examine(
    pictures: Annotated[list[str], typer.Argument(help="Files, folders or quoted glob patterns.")],
    um_per_px: ScaleOption,
    as_json: JsonOption = False,
    mask_dir: Annotated[
        Path | None, typer.Option(help="Also write a 16-bit label image per picture into this folder.")
    ] = None,
    features: Annotated[
        bool, typer.Option("--features", help="With --json: measure each cell's size, form, nucleus and stain.")
    ] = False,
    engine: EngineOption = "onnx",
    threads: ThreadsOption = 2,
    segmenter: SegmenterOption = "segmenter",
    classifier: ClassifierOption = "classifier",
    reference: ReferenceOption = None,
    bench: BenchNetworksOption = None,
    focus_stack: Annotated[
        bool, typer.Option("--focus-stack", help="Of files with several pages examine the sharpest page alone.")
    ] = False,
) -> None:
    """Find, outline and name every cell of stored pictures."""
    if features and not as_json:
        raise typer.BadParameter("features are printed as JSON alone: add --json", param_hint="--features")
    models = ModelSettings(segmenter=segmenter, classifier=classifier, engine=_engine(engine, threads))
    um_per_px, enlarged = _referred(um_per_px, reference)
    if bench is not None:
        models, enlarged = _of_bench(bench, models, reference)
    give_back_large_buffers()
    instrument = open_instrument_for_pictures(models, um_per_px, enlarged)
    numbers = iter(range(1, sys.maxsize))
    labels = None if mask_dir is None else LabelFolder(mask_dir)

    scale = ScaleCheck(um_per_px)

    def examine_one(path: Path) -> None:
        pages = examine_pages(path, numbers, instrument, um_per_px, with_features=features, focus_stack=focus_stack)
        for stem, look, entry in pages:
            typer.echo(json.dumps(entry) if as_json else printable(_in_words(entry)))
            scale.add(cell.instance for cell in look.field.cells)
            if labels is not None:
                labels.write(look, stem)

    _examined(pictures, examine_one, scale)


def classify(
    crops: Annotated[list[str], typer.Argument(help="Files, folders or quoted patterns; the cell in the middle.")],
    um_per_px: ScaleOption,
    as_json: JsonOption = False,
    engine: EngineOption = "onnx",
    threads: ThreadsOption = 2,
    classifier: ClassifierOption = "classifier",
    reference: ReferenceOption = None,
    bench: BenchNetworksOption = None,
) -> None:
    """Name the cell in the middle of each crop."""
    models = ModelSettings(classifier=classifier, engine=_engine(engine, threads))
    um_per_px, enlarged = _referred(um_per_px, reference)
    if bench is not None:
        models, enlarged = _of_bench(bench, models, reference)
    namer = open_classifier(models, enlarged)
    scale = ScaleCheck(um_per_px)
    look_around: list[Segmenter] = []

    def classify_one(path: Path) -> None:
        pixels = read_picture(path)
        entry = classify_crop(path, pixels, namer, um_per_px)
        typer.echo(
            json.dumps(entry)
            if as_json
            else printable(f"{entry['picture']}: {entry['class']} ({entry['confidence']:.0%})")
        )
        if scale.pictures < SCALE_CROPS:
            if not look_around:
                look_around.append(open_segmenter(models))
            scale.add(look_around[0].find_cells(micrograph_of_scale(path.name, pixels, um_per_px)))

    _examined(crops, classify_one, scale)


def _referred(um_per_px: float, path: Path | None) -> tuple[float, float]:
    """The scale by a bench's red cells, and how much larger to show the classifier a cell; as given without a file.

    Raises:
        CalibrationError: the reference is missing, malformed or of pictures of another scale.
    """
    if path is None:
        return um_per_px, 1.0
    reference = Reference.read(path)
    if abs(reference.um_per_px / um_per_px - 1) > SAME_SCALE:
        raise CalibrationError(
            f"{path} was measured at {reference.um_per_px:g} µm per pixel, found --um-per-px {um_per_px:g}",
            "measure one with `leukoscope reference` at this scale",
        )
    return um_per_px * reference.scale, reference.enlarged


def _of_bench(bench: Path, asked: ModelSettings, reference: Path | None) -> tuple[ModelSettings, float]:
    if reference is not None or asked != ModelSettings(engine=_engine("onnx", 2)):
        raise typer.BadParameter(
            "the bench says which networks, engine and size: leave out --segmenter, --classifier, --engine, "
            "--threads and --reference",
            param_hint="--bench",
        )
    return models_for_pictures(BenchSettings.read(bench), bench.parent)


def _engine(engine: Literal["onnx", "litert"], threads: int) -> EngineSettings:
    return OnnxSettings(threads=threads) if engine == "onnx" else LitertSettings(threads=threads)


def _examined(patterns: list[str], work: Callable[[Path], None], scale: ScaleCheck) -> None:
    complete = for_each_picture(patterns, work)
    if (wrong := scale.warning()) is not None:
        typer.echo(f"leukoscope: {wrong}", err=True)
    if not complete:
        raise typer.Exit(2)


def _in_words(entry: dict[str, Any]) -> str:
    counts = entry["counts"]
    white = [f"{cell['class']} {cell['confidence']:.0%}" for cell in entry["cells"] if cell["kind"] == "wbc"]
    flaws = f"  REFUSED: {', '.join(entry['flaws'])}" if entry["flaws"] else ""
    return (
        f"{entry['picture']}: {counts['rbc']} red, {counts['wbc']} white, {counts['platelet']} platelets"
        f"{' (' + ', '.join(white) + ')' if white else ''}, {entry['ms']['total']:.0f} ms{flaws}"
    )
