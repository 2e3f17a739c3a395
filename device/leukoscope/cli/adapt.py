"""`leukoscope adapt`: a classifier fitted to a laboratory's cells."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from leukoscope.adapting.cells import UnnamedCells, cells_of_reports, named_in_folder, pictures_below, unnamed_in_fields
from leukoscope.adapting.fitting import Fitter
from leukoscope.adapting.writing import write_bundle
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.bundles.contents import is_bundle_name
from leukoscope.bundles.installing import refuse_other_answers
from leukoscope.cli.answers import say
from leukoscope.cli.options import usual_bench
from leukoscope.errors import AdaptingError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.engines import EngineSettings
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.reviewing.desk import desk_at
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.settings import BenchSettings
from leukoscope.specimen.sample import Source
from leukoscope.system.assets import find_asset

ScaleOption = Annotated[
    float | None, typer.Option(help="Micrometres per pixel of the pictures in a folder.", min=0.03, max=0.3)
]


def adapt(
    name: Annotated[str, typer.Argument(help='What the new bundle is to be called, such as "our-lab".')],
    bench: Annotated[
        Path | None, typer.Option(help="Learn from the cells that people named or confirmed in this bench's reports.")
    ] = None,
    named: Annotated[
        Path | None, typer.Option(help="Learn from crops: one folder for each class, in it one for each specimen.")
    ] = None,
    unnamed: Annotated[
        Path | None, typer.Option(help="Learn from field pictures without named cells, too or alone.")
    ] = None,
    um_per_px: ScaleOption = None,
    fields_um_per_px: Annotated[
        float | None,
        typer.Option(help="Micrometres per pixel in --unnamed, where it is not --um-per-px.", min=0.03, max=0.3),
    ] = None,
    source: Annotated[Source, typer.Option(help="With --bench: only reports of such pictures.")] = Source.LIVE,
    like: Annotated[str, typer.Option(help="The classifier to start from: its folder, or its name.")] = "classifier",
    to: Annotated[
        Path | None, typer.Option(help="The new bundle's folder; beside the settings file, or here, otherwise.")
    ] = None,
    progress: Annotated[
        bool, typer.Option("--progress", help="Say on standard error how many of how many cells were looked at.")
    ] = False,
) -> None:
    """Fit the classifier to your cells, best to a hundred that you have named. Nothing is changed: it is a new bundle.

    With names it says how many cells of specimens set aside are named right, before and after.

    Where the gain may be chance, it makes no bundle. Without names it cannot say how good the bundle is.
    """
    if not is_bundle_name(name):
        raise AdaptingError(
            f"no bundle can be called {name!r}: expected small letters, digits and dashes", "choose another name"
        )
    in_folders = named is not None or unnamed is not None
    if bench is None and not in_folders:
        bench = usual_bench()
    if (bench is None) == (not in_folders):
        raise AdaptingError(
            "expected --bench, or --named and --unnamed, or one of these: where the cells come from",
            "give one of these",
        )
    if (bench is None) == (um_per_px is None):
        raise AdaptingError(
            "expected --um-per-px with --named and --unnamed, and not with --bench, which knows it",
            "give the scale with the folders, and leave it out with --bench",
        )
    engine: EngineSettings = OnnxSettings() if bench is None else BenchSettings.read(bench).models.engine
    bundle = Bundle.read(find_asset("models", like, None if bench is None else bench.parent))
    network = engine.open(bundle)
    fitter = Fitter(bundle, network, _say) if progress else Fitter(bundle, network)
    if bench is not None:
        with desk_at(bench) as desk:
            fitted = fitter.to_names(*cells_of_reports(desk, source, fitter.namer, fitter.labels), name)
    else:
        assert um_per_px is not None  # noqa: S101 (for the type checker: refused above)
        beside = _in_fields(fitter, unnamed, fields_um_per_px or um_per_px)
        if named is None:
            fitted = fitter.to_itself(beside)
        else:
            cells = named_in_folder(named, um_per_px, fitter.namer, fitter.labels)
            fitted = fitter.to_names(cells, beside, name)
    folder = to or (Path() if bench is None else bench.parent) / name
    write_bundle(bundle, network, fitted, name, folder, lambda new: refuse_other_answers(new, engine.open(new)))
    if bench is None or source is Source.LIVE:
        say(fitted.summary)
    else:
        say(Sentence("{source} · {summary}", source=Verbatim(source.value.upper()), summary=fitted.summary))
    typer.echo(f'{folder} is the bundle: classifier = "{_as_named(folder, bench)}" under [models] in the settings')


def _say(done: int, of: int) -> None:
    typer.echo(f"{done}/{of}", err=True)


def _in_fields(fitter: Fitter, folder: Path | None, um_per_px: float) -> UnnamedCells:
    if folder is None:
        return UnnamedCells()
    finding = Bundle.read(find_asset("models", "segmenter"))
    paths = track(pictures_below(folder), description="white cells", transient=True, console=Console(stderr=True))
    return unnamed_in_fields(paths, um_per_px, Segmenter(finding, OnnxSettings().open(finding)), fitter.namer)


def _as_named(folder: Path, bench: Path | None) -> str:
    """What the settings call it: a folder beside them by its name alone."""
    return folder.name if bench is not None and folder.parent == bench.parent else str(folder.resolve())
