"""`leukoscope trend` and `leukoscope check`."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from PIL.Image import Image
from rich.table import Table
from rich.text import Text

from leukoscope.cli.options import BenchOption, JsonOption
from leukoscope.cli.printing import plain_console
from leukoscope.errors import TrendError
from leukoscope.quality_control.history import History
from leukoscope.quality_control.run_record import Kind, Run
from leukoscope.quality_control.series import Series, every_series, references_of, since_restart
from leukoscope.quality_control.westgard import BASELINE_RUNS
from leukoscope.service.reference_check import count_pictures, count_slide
from leukoscope.settings import BenchSettings

COLUMN, FRAME = 9, 8
"""Characters of a run in the table of a trend, and around names and limits."""


def trend(
    bench: BenchOption,
    png: Annotated[Path | None, typer.Option(help="Also draw the trend into this file.")] = None,
    as_json: JsonOption = False,
    last: Annotated[
        int, typer.Option(min=1, max=1000, help="Runs to print, the newest last; a table shows as many as fit.")
    ] = 8,
) -> None:
    """How lamp, focus, scale and speed of the instrument went from run to run, with their limits."""
    run_history = History(BenchSettings.read(bench).storage.folder)
    runs = run_history.runs()
    if not runs:
        raise TrendError(f"nothing in {run_history.path} yet", "count a sample, or `leukoscope check`")
    every = {reference: every_series(runs, reference) for reference in references_of(runs)}
    for reference, many in every.items():
        newest = since_restart(runs, reference)[-last:]
        if as_json:
            for run in newest:
                typer.echo(json.dumps(_as_json(run, many)))
        elif newest:
            console = plain_console()
            console.print(_table(reference, newest, many, console.width))
    if png is not None:
        from leukoscope.quality_control.levey_jennings import draw_trend

        _save(draw_trend(every), png)


def check(
    bench: BenchOption,
    pictures: Annotated[Path | None, typer.Option(help="Count the pictures of this folder, not a slide.")] = None,
    slide: Annotated[str, typer.Option(help="What the reference slide is called.")] = "reference",
    fields: Annotated[int, typer.Option(min=1, max=1000, help="Fields of the slide to look at.")] = 20,
    new_baseline: Annotated[
        bool, typer.Option("--new-baseline", help="Begin a new baseline, of samples too, after a change on purpose.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Count a reference that should be the same every time, and compare with the first 20 times (Westgard 1-3s, 2-2s).

    Without --pictures the bench's camera looks at a slide that is kept for this.

    Exit code 2 when something is out of its limits; the Ready screen and the health message warn, too.
    """
    settings = BenchSettings.read(bench)
    settings.storage.make_folder()
    run_history = History(settings.storage.folder)
    if pictures is not None:
        run = count_pictures(settings, bench.parent, pictures, _now)
    else:
        run = count_slide(settings, bench.parent, slide, fields, _now)
    if new_baseline:
        run_history.add(Run(_now(), Kind.RESTART, "", ""))
    run_history.add(run)
    runs = run_history.runs()
    many = every_series(runs, run.reference)
    if as_json:
        typer.echo(json.dumps(_as_json(run, many)))
    else:
        plain_console().print(_check_table(many))
    done = len(since_restart(runs, run.reference))
    if done <= BASELINE_RUNS:
        typer.echo(f"Baseline of {run.reference}: {done} of {BASELINE_RUNS} runs.", err=True)
    alarms = [series.alarm for series in many if series.alarm is not None]
    if alarms:
        raise TrendError(f"{'; '.join(alarms)}", "find out what has changed, then check again")


def _as_json(run: Run, many: Sequence[Series]) -> dict[str, object]:
    broken = {
        series.name: point.broken.value
        for series in many
        for point in series.points
        if point.run == run and point.broken
    }
    limits = {series.name: [series.limits.mean, series.limits.s] for series in many if series.limits is not None}
    return {
        "at": run.at.isoformat(),
        "kind": run.kind.value,
        "reference": run.reference,
        "subject": run.subject,
        "fields": run.fields,
        "white_cells": run.white_cells,
        "software": run.software,
        "calibration": run.calibration,
        "measures": dict(run.measures),
        "classes": dict(run.classes),
        "limits_mean_s": limits,
        "broken": broken,
    }


def _table(reference: str, runs: Sequence[Run], many: Sequence[Series], width: int) -> Table:
    """The newest of the runs, as many as leave names and limits readable in `width` characters."""
    titles = [f"{one.measure.title} ({one.measure.unit})" if one.measure.unit else one.measure.title for one in many]
    taken = max(map(len, titles)) + max(len(_limits(one)) for one in many) + FRAME
    runs = runs[-max(1, (width - taken) // COLUMN) :]
    table = Table(title=f"{reference}: {len(runs)} newest run{'s' if len(runs) > 1 else ''}, ! = out of limits")
    table.add_column("measure", no_wrap=True)
    for run in runs:
        table.add_column(f"{run.at:%m-%d}\n{run.at:%H:%M}", justify="right")
    table.add_column("limits (2 s)", no_wrap=True)
    for title, series in zip(titles, many, strict=True):
        point_of = {id(point.run): point for point in series.points}
        cells = []
        for run in runs:
            point = point_of.get(id(run))
            value = "" if point is None else f"{point.value:.{series.measure.decimals}f}"
            cells.append(Text(f"{value}!", "bold red") if point is not None and point.broken else Text(value))
        table.add_row(title, *cells, _limits(series))
    return table


def _check_table(many: Sequence[Series]) -> Table:
    table = Table("measure", "now", "limits (2 s)", "")
    for series in many:
        point = series.points[-1]
        verdict = Text("" if series.limits is None else "in control")
        if point.broken is not None:
            verdict = Text(point.broken.value, "bold red")
        value = f"{point.value:.{series.measure.decimals}f} {series.measure.unit}".strip()
        table.add_row(series.measure.title, value, _limits(series), verdict)
    return table


def _limits(series: Series) -> str:
    if series.limits is None:
        return ""
    mean, s, decimals = series.limits.mean, series.limits.s, series.measure.decimals
    return f"{mean - 2 * s:.{decimals}f} to {mean + 2 * s:.{decimals}f}"


def _save(picture: Image, path: Path) -> None:
    try:
        picture.save(path)
    except (OSError, ValueError) as error:
        raise TrendError(f"the trend cannot be drawn into {path} ({error})", "give a .png file in a folder") from error


def _now() -> datetime:
    return datetime.now(UTC)
