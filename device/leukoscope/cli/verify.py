"""`leukoscope verify`: the cells of this bench that people have checked, and what is missing."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from leukoscope.cli.options import BenchOption
from leukoscope.cli.printing import plain_console
from leukoscope.errors import ReviewError
from leukoscope.reviewing.bench_record import FILE, BenchRecord
from leukoscope.reviewing.bench_verification import brought_up_to_date, read_sheet, take_names, write_sheet
from leukoscope.reviewing.checked_cells import BenchConditions
from leukoscope.reviewing.desk import desk_at
from leukoscope.reviewing.verification_progress import ENOUGH_CELLS, ENOUGH_SPECIMENS, VerificationProgress
from leukoscope.service.bench_naming import conditions_of
from leukoscope.settings import BenchSettings
from leukoscope.specimen.cell import UNSURE
from leukoscope.statistics.intervals import clopper_pearson


def verify(
    bench: BenchOption,
    sheet: Annotated[
        Path | None, typer.Option(help="Write cells to be named without the classifier's name into this folder.")
    ] = None,
    cells: Annotated[int, typer.Option(min=1, help="How many cells a sheet holds.")] = 100,
    names: Annotated[Path | None, typer.Option(help="Read the names that people filled into a sheet's table.")] = None,
    by: Annotated[str, typer.Option(help="Who named them; stands in the reports and in the audit trail.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Show how this bench names its cells, by those that people named or confirmed in its own live reports."""
    settings = BenchSettings.read(bench)
    path, now = settings.storage.folder / FILE, conditions_of(settings, bench.parent)
    record = BenchRecord.read(path)
    with desk_at(bench) as desk:
        blind: dict[str, list[int]] = {}
        if names is not None:
            if not by.strip():
                raise ReviewError("--names needs --by", "say who named the cells")
            read = read_sheet(names)
            for unfiled in take_names(desk, read, by):
                typer.echo(f"leukoscope: {unfiled}", err=True)
            blind = {report: list(of_report) for report, of_report in read.items()}
        record = brought_up_to_date(record, path, desk, blind)
        if sheet is not None:
            written = write_sheet(desk, now, sheet, cells)
            typer.echo(f"{written} cells in {sheet}: fill in names.csv, then leukoscope verify --names", err=as_json)
    progress = record.progress(now)
    if as_json:
        typer.echo(json.dumps(_as_json(progress, now), ensure_ascii=False))
        return
    console = plain_console()
    console.print(_table(progress))
    for line in _lines(progress):
        console.print(line, highlight=False)


def _rows(progress: VerificationProgress) -> list[tuple[str, int, int, float, float]]:
    """Class, cells checked, named so by the classifier, and the interval of that share."""
    rows, checked = [], progress.cells
    for key in sorted({cell.truth for cell in checked}):
        of_class = [cell for cell in checked if cell.truth == key]
        agreed = sum(cell.answer == key for cell in of_class)
        rows.append((key, len(of_class), agreed, *clopper_pearson(agreed, len(of_class))))
    return rows


def _table(progress: VerificationProgress) -> Table:
    table = Table(title="Cells of this bench's live reports that people have checked", title_justify="left")
    table.add_column("named by people")
    for heading in ("checked", "classifier agrees", "share", "95 % interval", "else named"):
        table.add_column(heading, justify="right")
    others = [cell for cell in progress.cells if cell.answer != cell.truth]
    for key, count, agreed, low, high in _rows(progress):
        wrong = [cell.answer for cell in others if cell.truth == key]
        named = ", ".join(f"{name.replace('_', ' ')} {wrong.count(name)}" for name in sorted(set(wrong)))
        share = f"{agreed / count:.0%}"
        table.add_row(key.replace("_", " "), str(count), str(agreed), share, f"{low:.0%} - {high:.0%}", named)
    return table


def _lines(progress: VerificationProgress) -> list[str]:
    blind = sum(len(one.blind) for one in progress.counted)
    state = f"verified on this bench, {_sentence(progress)}"
    if not progress.verified:
        state = f"NOT VERIFIED: missing {progress.missing}"
    lines = [f"{len(progress.cells)} cells of {progress.specimens} specimens checked, {blind} of them blind", state]
    if progress.chosen:
        lines.append(
            f"left out: {progress.chosen} cells that people chose to check, as the unsure and the wrong ones; a report "
            "counts in full when all its white cells are checked (--all-checked after a look at each), or use --sheet"
        )
    if progress.expired:
        lines.append(
            f"expired: {_cells(progress.expired)} cells of {len(progress.expired)} reports made with another "
            "classifier, calibration or camera"
        )
    if progress.not_live:
        lines.append(
            f"left out: {_cells(progress.not_live)} cells of simulated or stored samples, which verify nothing"
        )
    return lines


def _sentence(progress: VerificationProgress) -> str:
    verified = progress.verification
    return "" if verified is None else f"{verified.at:%Y-%m-%d}, by {', '.join(verified.by)}, {verified.cells} cells"


def _cells(reports: tuple[Any, ...]) -> int:
    return sum(len(one.cells) for one in reports)


def _as_json(progress: VerificationProgress, now: BenchConditions) -> dict[str, Any]:
    verified = progress.verification
    return {
        "verified": progress.verified,
        "cells": len(progress.cells),
        "specimens": progress.specimens,
        "blind": sum(len(one.blind) for one in progress.counted),
        "cells_needed": ENOUGH_CELLS,
        "specimens_needed": ENOUGH_SPECIMENS,
        "missing": progress.missing,
        "at": None if verified is None else verified.at.isoformat(),
        "by": [] if verified is None else list(verified.by),
        "classes": [
            {"class": key, "checked": count, "agreed": agreed, "share": agreed / count, "low": low, "high": high}
            for key, count, agreed, low, high in _rows(progress)
        ],
        "unsure": sum(cell.answer == UNSURE for cell in progress.cells),
        "left_out": progress.chosen,
        "expired": _cells(progress.expired),
        "not_live": _cells(progress.not_live),
        "classifier": now.classifier,
        "calibration": now.calibration,
        "camera": now.camera,
    }
