"""The command `leukoscope`."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from leukoscope import __version__
from leukoscope.cli.adapt import adapt
from leukoscope.cli.answers import say_failed
from leukoscope.cli.audit import audit_app
from leukoscope.cli.bundle_commands import bundle_app
from leukoscope.cli.calibrate import calibrate_app, pages_of
from leukoscope.cli.differential import differential
from leukoscope.cli.export import export
from leukoscope.cli.options import BENCH_VARIABLE, INSTALLED_BENCH, BenchOption, JsonOption
from leukoscope.cli.outbox import outbox_app
from leukoscope.cli.printing import plain_console
from leukoscope.cli.quality_control import check, trend
from leukoscope.cli.reference import reference
from leukoscope.cli.report_commands import report_app
from leukoscope.cli.settings_shown import settings
from leukoscope.cli.stored_pictures import classify, examine
from leukoscope.cli.verify import verify
from leukoscope.cli.web import web
from leukoscope.doctor import Finding, check_bench, check_desk
from leukoscope.doctor.support_file import pack_support
from leukoscope.errors import LeukoscopeError
from leukoscope.sentence import to_wire
from leukoscope.service.fault_screen import PRESSED, FaultScreen, last_fault, read_panes
from leukoscope.service.run import faults_on_record, run_bench
from leukoscope.settings import BenchSettings
from leukoscope.system.log_setup import set_up_logs
from leukoscope.system.shutdown import stopped_by_signals
from leukoscope.system.standard_output import printable, written_whole

app = typer.Typer(
    help="Counts and classifies the cells of a stained blood smear. It counts and flags; it does not diagnose.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(outbox_app, name="outbox")
app.add_typer(bundle_app, name="bundle")
app.add_typer(calibrate_app, name="calibrate")
app.add_typer(report_app, name="report")
app.add_typer(audit_app, name="audit")
app.command()(examine)
app.command()(classify)
app.command()(differential)
app.command()(reference)
app.command()(verify)
app.command()(export)
app.command()(trend)
app.command()(check)
app.command()(adapt)
app.command()(web)
app.command()(settings)


def main() -> None:
    """Run the command; an error on purpose becomes one line and exit code 2."""
    try:
        with written_whole():
            app()
    except LeukoscopeError as error:
        say_failed(error)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


RunningOption = Annotated[
    bool,
    typer.Option("--running", help="The bench runs and holds camera, displays, controls and lamps: leave them out."),
]


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"leukoscope {__version__}")
        raise typer.Exit


@app.command()
def run(
    bench: BenchOption,
    samples: Annotated[int, typer.Option(min=0, help="End after so many samples; 0: never.")] = 0,
    sample_id: Annotated[str, typer.Option(help="What the next specimen is called; never a patient's name.")] = "",
) -> None:
    """Run the instrument: look, count, show and report, until it is asked to stop."""
    with faults_on_record():
        nothing_counted = run_bench(bench, pages_of, samples=samples, sample_id=sample_id)
    if nothing_counted:
        typer.echo(printable(f"leukoscope: no field was counted: {nothing_counted}"), err=True)
        raise typer.Exit(1)


@app.command()
def fault(bench: BenchOption) -> None:
    """Show the fault that ended the device on its displays until the button is pressed (unit leukoscope-fault)."""
    set_up_logs(drawn_over=False)
    screen = FaultScreen(read_panes(bench), last_fault(os.environ), time.monotonic, time.sleep)
    with stopped_by_signals(screen.stop):
        if screen.run():
            raise typer.Exit(PRESSED)


@app.command()
def doctor(
    bench: Annotated[
        Path | None,
        typer.Option(
            help="Check this bench; where no settings are, only what the software brings.", envvar=BENCH_VARIABLE
        ),
    ] = None,
    desk: Annotated[bool, typer.Option("--desk", help="Check what the software brings and no bench.")] = False,
    as_json: JsonOption = False,
    remember: Annotated[
        bool, typer.Option("--remember", help="Keep how fast the networks run, for later checks to compare with.")
    ] = False,
    running: RunningOption = False,
) -> None:
    """Try each part for real, and say what to do about what fails."""
    if bench is None and INSTALLED_BENCH.exists():
        bench = INSTALLED_BENCH
    if bench is None or desk:
        findings = check_desk()
    else:
        findings = check_bench(BenchSettings.read(bench), bench.parent, remember=remember, running=running)
    failed = False
    table = Table("part", "", "found", title=f"leukoscope {__version__}")
    for finding in findings:
        failed |= not finding.good
        if as_json:
            shown = {"part": finding.part, "good": finding.good, "text": finding.text}
            typer.echo(json.dumps(shown | {"sentence": to_wire(finding.text)}))
        else:
            table.add_row(*_doctor_row(finding))
    if not as_json:
        plain_console().print(table)
    if failed:
        raise typer.Exit(2)


@app.command()
def support(
    bench: BenchOption,
    out: Annotated[Path, typer.Option(help="The .tar.gz to write.")] = Path("leukoscope-support.tar.gz"),
    running: RunningOption = False,
) -> None:
    """Pack log, settings, doctor's findings and last screens into one file, without secrets or names of specimens."""
    names = pack_support(bench, out, running=running)
    typer.echo(f"{out} holds {', '.join(names)}")


def _doctor_row(finding: Finding) -> tuple[str, Text, str]:
    return finding.part, Text("good", "green") if finding.good else Text("BAD", "bold red"), finding.text


if __name__ == "__main__":
    main()
