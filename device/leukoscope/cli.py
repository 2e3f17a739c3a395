"""The command `leukoscope`."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from leukoscope import __version__
from leukoscope.bundle_commands import bundle_app
from leukoscope.calibrating.commands import calibrate_app
from leukoscope.checking.commands import check, trend
from leukoscope.doctor import Finding, check_bench, check_desk
from leukoscope.errors import LeukoscopeError, OutboxError, PictureError
from leukoscope.examination import LabelFolder, classify_crop, examine_picture, find_pictures
from leukoscope.exporting.commands import export
from leukoscope.faultscreen import PRESSED, FaultScreen, last_fault, read_panes
from leukoscope.inference import EngineSettings
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.networks import open_classifier, open_instrument_for_pictures
from leukoscope.reporting.outbox import CELL, REPORT, Outbox, State
from leukoscope.reviewing.commands import audit_app, report_app
from leukoscope.running import faults_on_record, run_bench
from leukoscope.settings import BenchSettings, ModelSettings
from leukoscope.stopping import stopped_by_signals
from leukoscope.support import pack_support
from leukoscope.upkeep.logs import set_up_logs

app = typer.Typer(
    help="Counts and classifies the cells of a stained blood smear. It counts and flags; it does not diagnose.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
outbox_app = typer.Typer(help="Look at reports that wait to be sent.", no_args_is_help=True)
app.add_typer(outbox_app, name="outbox")
app.add_typer(bundle_app, name="bundle")
app.add_typer(calibrate_app, name="calibrate")
app.add_typer(report_app, name="report")
app.add_typer(audit_app, name="audit")
app.command()(export)
app.command()(trend)
app.command()(check)

EngineOption = Annotated[Literal["onnx", "litert"], typer.Option(help="The runtime that computes the networks.")]
ThreadsOption = Annotated[int, typer.Option(min=1, max=64, help="Threads of the runtime.")]
ScaleOption = Annotated[float, typer.Option(help="Micrometres per pixel of the pictures.", min=0.01, max=2.0)]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object per line on standard output.")]
SegmenterOption = Annotated[str, typer.Option(help="A segmenter bundle: its folder, or its name under models/.")]
ClassifierOption = Annotated[str, typer.Option(help="A classifier bundle: its folder, or its name under models/.")]
BenchOption = Annotated[Path, typer.Option(help="The settings file of the bench (TOML).")]


def main() -> None:
    """Run the command; an error on purpose becomes one line and exit code 2."""
    try:
        app()
    except LeukoscopeError as error:
        _complain(str(error))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"leukoscope {__version__}")
        raise typer.Exit


@app.command()
def run(
    bench: BenchOption,
    samples: Annotated[int, typer.Option(min=0, help="Leave after so many samples; 0 runs for ever.")] = 0,
    sample_id: Annotated[str, typer.Option(help="What the next specimen is called; never a patient's name.")] = "",
) -> None:
    """Run the instrument: look, count, show and report, until told to stop."""
    with faults_on_record():
        run_bench(bench, samples=samples, sample_id=sample_id)


@app.command()
def fault(bench: BenchOption) -> None:
    """Show what the device died of on its displays until somebody presses; the unit leukoscope-fault runs it."""
    set_up_logs(drawn_over=False)
    screen = FaultScreen(read_panes(bench), last_fault(os.environ), time.monotonic, time.sleep)
    with stopped_by_signals(screen.stop):
        if screen.run():
            raise typer.Exit(PRESSED)


@app.command()
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


@app.command()
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


@app.command()
def doctor(
    bench: Annotated[
        Path | None, typer.Option(help="Check this bench too; without it only what the software brings.")
    ] = None,
    as_json: JsonOption = False,
    remember: Annotated[
        bool, typer.Option("--remember", help="Keep how fast the networks run, for later checks to compare with.")
    ] = False,
) -> None:
    """Try each part for real, and say what to do about what fails."""
    if bench is None:
        findings = check_desk()
    else:
        findings = check_bench(BenchSettings.read(bench), bench.parent, remember=remember)
    failed = False
    table = Table("part", "", "found", title=f"leukoscope {__version__}")
    for finding in findings:
        failed |= not finding.good
        if as_json:
            typer.echo(json.dumps({"part": finding.part, "good": finding.good, "text": finding.text}))
        else:
            table.add_row(*_doctor_row(finding))
    if not as_json:
        Console().print(table)
    if failed:
        raise typer.Exit(2)


@app.command()
def support(
    bench: BenchOption,
    out: Annotated[Path, typer.Option(help="The .tar.gz to write.")] = Path("leukoscope-support.tar.gz"),
) -> None:
    """Pack log, settings, doctor's findings and last screens into one file, without secrets or names of specimens."""
    names = pack_support(bench, out)
    typer.echo(f"{out} holds {', '.join(names)}")


@outbox_app.command("list")
def outbox_list(
    bench: BenchOption,
    state: Annotated[State | None, typer.Option(help="Only messages in this state.")] = None,
    cells: Annotated[bool, typer.Option("--cells", help="Pictures of white cells instead of reports.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the messages of a bench's outbox, oldest first."""
    with _open_outbox(bench) as outbox:
        entries = outbox.list(state, CELL if cells else REPORT)
    table = Table("message", "state", "kept at", "settled at", "tries", "note")
    for entry in entries:
        row = {
            "id": entry.key.id,
            "version": entry.key.version,
            "kind": entry.key.kind,
            "state": entry.state.value,
            "created_at": entry.created_at,
            "settled_at": entry.settled_at,
            "attempts": entry.attempts,
            "note": entry.note,
        }
        if as_json:
            typer.echo(json.dumps(row))
        table.add_row(
            str(entry.key),
            entry.state.value,
            entry.created_at,
            entry.settled_at or "",
            str(entry.attempts),
            entry.note,
        )
    if not as_json:
        Console().print(table if entries else "The outbox is empty.")


@outbox_app.command("retry")
def outbox_retry(bench: BenchOption) -> None:
    """Offer every refused message to the broker again."""
    with _open_outbox(bench) as outbox:
        count = outbox.retry()
    typer.echo(f"{count} refused messages wait to be sent again.")


def _open_outbox(bench: Path) -> Outbox:
    path = BenchSettings.read(bench).storage.outbox
    if not path.exists():
        raise OutboxError(f"no outbox at {path}: has this bench run yet?")
    return Outbox.open(path, owner=False)


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
                _complain(str(error))
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


def _doctor_row(finding: Finding) -> tuple[str, str, str]:
    return finding.part, "[green]good[/]" if finding.good else "[bold red]BAD[/]", finding.text


def _complain(message: str) -> None:
    typer.echo(f"leukoscope: {message}", err=True)


if __name__ == "__main__":
    main()
