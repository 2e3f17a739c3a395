"""`leukoscope examine` and `leukoscope classify`: stored pictures instead of a camera."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from leukoscope.cli.picture_json import LabelFolder, classify_crop, examine_picture, find_pictures
from leukoscope.errors import PictureError
from leukoscope.inference import EngineSettings
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.service.models import open_classifier, open_instrument_for_pictures
from leukoscope.settings import ModelSettings

EngineOption = Annotated[Literal["onnx", "litert"], typer.Option(help="The runtime that computes the networks.")]
ThreadsOption = Annotated[int, typer.Option(min=1, max=64, help="Threads of the runtime.")]
ScaleOption = Annotated[float, typer.Option(help="Micrometres per pixel of the pictures.", min=0.01, max=2.0)]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object per line on standard output.")]
SegmenterOption = Annotated[str, typer.Option(help="A segmenter bundle: its folder, or its name under models/.")]
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
) -> None:
    """Find, outline and name every cell of stored pictures."""
    if features and not as_json:
        raise typer.BadParameter("features are printed as JSON alone: add --json", param_hint="--features")
    models = ModelSettings(segmenter=segmenter, classifier=classifier, engine=_engine(engine, threads))
    instrument = open_instrument_for_pictures(models, um_per_px)
    numbers = iter(range(1, sys.maxsize))
    labels = None if mask_dir is None else LabelFolder(mask_dir)

    def examine_one(path: Path) -> None:
        look, entry = examine_picture(path, next(numbers), instrument, um_per_px, with_features=features)
        typer.echo(json.dumps(entry) if as_json else _in_words(entry))
        if labels is not None:
            labels.write(look, path.stem)

    _for_each(pictures, examine_one)


def classify(
    crops: Annotated[list[str], typer.Argument(help="Files, folders or quoted patterns; the cell in the middle.")],
    um_per_px: ScaleOption,
    as_json: JsonOption = False,
    engine: EngineOption = "onnx",
    threads: ThreadsOption = 2,
    classifier: ClassifierOption = "classifier",
) -> None:
    """Name the cell in the middle of each crop."""
    namer = open_classifier(ModelSettings(classifier=classifier, engine=_engine(engine, threads)))

    def classify_one(path: Path) -> None:
        entry = classify_crop(path, namer, um_per_px)
        typer.echo(
            json.dumps(entry) if as_json else f"{entry['picture']}: {entry['class']} ({entry['confidence']:.0%})"
        )

    _for_each(crops, classify_one)


def _engine(engine: Literal["onnx", "litert"], threads: int) -> EngineSettings:
    return OnnxSettings(threads=threads) if engine == "onnx" else LitertSettings(threads=threads)


def _for_each(patterns: list[str], work: Callable[[Path], None]) -> None:
    """Do the work for every picture; a bad one is told and the rest go on."""
    bad = 0
    with _progress(patterns) as paths:
        for path in paths:
            try:
                work(path)
            except PictureError as error:
                typer.echo(f"leukoscope: {error}", err=True)
                bad += 1
    if bad:
        raise typer.Exit(2)


@contextmanager
def _progress(patterns: list[str]) -> Iterator[Iterator[Path]]:
    """The pictures, with a progress bar on standard error where that is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield find_pictures(patterns)
        return
    total = sum(1 for _ in find_pictures(patterns))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as progress:
        task = progress.add_task("pictures", total=total)

        def advancing() -> Iterator[Path]:
            for path in find_pictures(patterns):
                yield path
                progress.advance(task)

        yield advancing()


def _in_words(entry: dict[str, Any]) -> str:
    counts = entry["counts"]
    white = [f"{cell['class']} {cell['confidence']:.0%}" for cell in entry["cells"] if cell["kind"] == "wbc"]
    flaws = f"  REFUSED: {', '.join(entry['flaws'])}" if entry["flaws"] else ""
    return (
        f"{entry['picture']}: {counts['rbc']} red, {counts['wbc']} white, {counts['platelet']} platelets"
        f"{' (' + ', '.join(white) + ')' if white else ''}, {entry['ms']['total']:.0f} ms{flaws}"
    )
