"""`leukoscope differential`: the report of cells that `classify --json` or `examine --json` printed."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from leukoscope.cli.printed_cells import PrintedCells
from leukoscope.cli.printing import plain_console
from leukoscope.counting.tally import CountingRules
from leukoscope.errors import PictureError
from leukoscope.inference.bundle import Bundle
from leukoscope.service.bench_naming import bundle_of, conditions_of, naming_on
from leukoscope.service.models import naming_of
from leukoscope.settings import BenchSettings
from leukoscope.specimen.sample import CELLS_CALLED, Certainty, CorrectedDifferential, Finding, Mode
from leukoscope.statistics.rules import Rules
from leukoscope.statistics.summary import Naming, Summary
from leukoscope.system.assets import find_asset

CLASSIFIER_OF: dict[Mode, str] = {"blood": "classifier", "marrow": "marrow"}


def differential(
    lines: Annotated[
        list[Path] | None, typer.Argument(help="Files of lines that classify or examine printed; none: standard input.")
    ] = None,
    mode: Annotated[
        str | None, typer.Option(help="What the smear is of, blood or marrow; the bench's, else blood.")
    ] = None,
    bench: Annotated[
        Path | None, typer.Option(help="The bench whose classifier, rules and verification hold (TOML).")
    ] = None,
    classifier: Annotated[
        str | None, typer.Option(help="The classifier bundle that named the cells: its folder or its name.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Count the white cells of stored pictures: shares with intervals, and what stands out."""
    if mode not in (None, "blood", "marrow"):
        raise typer.BadParameter(f"expected blood or marrow, found {mode}", param_hint="--mode")
    chosen: Mode | None = "marrow" if mode == "marrow" else "blood" if mode == "blood" else None
    naming, rules, counting = _grounds(chosen, bench, classifier)
    cells = PrintedCells.read(_lines(lines), [one.key for one in naming.classes])
    summary = Summary(cells.counts(), naming, counting.interval_width, rules)
    corrected, why_not, findings = summary.judge(None)
    findings = (*findings, *_of_flaws(cells))
    if as_json:
        typer.echo(json.dumps(_as_json(summary, corrected, findings), ensure_ascii=False))
        return
    console = plain_console()
    console.print(_table(summary, corrected, CELLS_CALLED[rules.mode]))
    if why_not is not None:
        console.print(f"not corrected: {why_not}", highlight=False)
    for finding in findings:
        console.print(f"! {finding.text}", highlight=False)


def _grounds(mode: Mode | None, bench: Path | None, classifier: str | None) -> tuple[Naming, Rules, CountingRules]:
    if bench is None:
        name = classifier or CLASSIFIER_OF[mode or "blood"]
        rules = Rules.shipped(mode or "blood")
        return naming_of(Bundle.read(find_asset("models", name))), rules, CountingRules()
    settings = BenchSettings.read(bench)
    if mode not in (None, settings.mode):
        raise PictureError(f"{bench} counts {settings.mode}", f"leave --mode out, or give a bench of {mode}")
    rules = settings.rules.open(bench.parent, settings.mode)
    if classifier is not None:
        # The bench was verified with its own classifier.
        return naming_of(Bundle.read(find_asset("models", classifier, bench.parent))), rules, settings.counting
    now = conditions_of(settings, bench.parent)
    naming, note = naming_on(bundle_of(settings, bench.parent), settings.storage.folder, now)
    if note:
        typer.echo(f"leukoscope: {note}", err=True)
    return naming, rules, settings.counting


def _lines(files: list[Path] | None) -> Iterator[tuple[str, str]]:
    """Each line, and where it stands."""
    if not files:
        yield from ((f"standard input, line {number}", line) for number, line in enumerate(sys.stdin, 1))
        return
    for path in files:
        try:
            with path.open(encoding="utf-8-sig") as file:
                yield from ((f"{path}, line {number}", line) for number, line in enumerate(file, 1))
        except (OSError, UnicodeDecodeError) as error:
            raise PictureError(f"{path} cannot be read ({error})", "give a file of JSON lines") from error


def _of_flaws(cells: PrintedCells) -> Iterator[Finding]:
    if cells.flawed_pictures:
        flaws = ", ".join(f"{flaw.replace('_', ' ')} {count}" for flaw, count in sorted(cells.flawed.items()))
        yield Finding(
            "flawed_pictures",
            f"cells of {cells.flawed_pictures} pictures are counted that the instrument would refuse: {flaws}",
            Certainty.CERTAIN,
            numbers={"count": cells.flawed_pictures},
        )


def _as_json(
    summary: Summary, corrected: CorrectedDifferential | None, findings: tuple[Finding, ...]
) -> dict[str, Any]:
    return {
        "white_cells": summary.white_cells,
        "unsure": summary.unsure,
        "differential": [
            {"class": one.cell_class, "count": one.count, "share": one.share, "low": one.low, "high": one.high}
            for one in summary.differential()
        ],
        "corrected": None
        if corrected is None
        else [{"class": one.name, "share": one.share, "low": one.low, "high": one.high} for one in corrected.classes],
        "findings": [{"code": one.code, "certainty": one.certainty.value, "words": one.text} for one in findings],
    }


def _table(summary: Summary, corrected: CorrectedDifferential | None, called: str) -> Table:
    table = Table()
    table.add_column(called)
    for heading in ("count", "share", "95 % interval", *(("corrected", "95 % interval") if corrected else ())):
        table.add_column(heading, justify="right")
    shares = {} if corrected is None else {one.name: one for one in corrected.classes}
    for one in summary.differential():
        row = [one.cell_class.replace("_", " "), str(one.count), f"{one.share:.1%}", f"{one.low:.1%} - {one.high:.1%}"]
        if (other := shares.get(one.cell_class)) is not None:
            row += [f"{other.share:.1%}", f"{other.low:.1%} - {other.high:.1%}"]
        table.add_row(*row, style=None if one.count else "dim")
    table.add_section()
    table.add_row("counted", str(summary.white_cells), style="bold")
    for name, count in summary.beside.items():
        table.add_row(f"beside: {name.replace('_', ' ')}", str(count))
    return table
