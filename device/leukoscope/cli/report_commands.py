"""`leukoscope report list|show|pictures|review|finalise|amend|correct`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leukoscope.cli.options import BenchOption, JsonOption
from leukoscope.cli.printing import plain_console
from leukoscope.errors import ReviewError
from leukoscope.messages.report import decode
from leukoscope.outbox.cell_pictures import pictures_of
from leukoscope.reviewing import pages
from leukoscope.reviewing.decision import Decision
from leukoscope.reviewing.desk import desk_at
from leukoscope.reviewing.named_cells import UM_PER_PX, write_named
from leukoscope.specimen.census import MissedCell
from leukoscope.specimen.lifecycle import Action, Status
from leukoscope.specimen.sample import Source

report_app = typer.Typer(
    help="Look at finished reports, review and sign them, amend or correct what was signed. Every step makes a new "
    "version, which is sent like the first, and an entry in the audit trail.",
    no_args_is_help=True,
)

ReportArgument = Annotated[str, typer.Argument(help="The report's id, or the beginning of it.")]
ByOption = Annotated[str, typer.Option(help="Who does this; stands in the report and in the audit trail.")]
NoteOption = Annotated[str, typer.Option(help="A remark that goes with the new version.")]
ReasonOption = Annotated[str, typer.Option("--note", help="Why; needed, and sent with the new version.")]
RelabelOption = Annotated[
    list[str] | None,
    typer.Option("--relabel", help="CELL=CLASS: what that white cell really is; repeatable, or joined by commas."),
]
ConfirmOption = Annotated[
    list[str] | None,
    typer.Option("--confirm", help="CELL: looked at and named rightly; repeatable, or joined by commas."),
]
AllOption = Annotated[
    bool, typer.Option("--all-checked", help="Every white cell was looked at; what is not relabelled is right.")
]
OpenedOption = Annotated[
    list[str] | None,
    typer.Option("--opened", help="CLASS: its cells were looked at; repeatable, or joined by commas."),
]
MissedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--missed",
        help="FIELD/X/Y=CLASS: a white cell that the device missed, by the pixels of its middle in that field; "
        "repeatable, or joined by commas.",
    ),
]
AgainOption = Annotated[
    bool,
    typer.Option("--again", help="With --sample-id: it has another report already, and this is one more."),
]
SampleOption = Annotated[str | None, typer.Option(help="What the specimen is really called; never a patient's name.")]


@report_app.command("list")
def report_list(
    bench: BenchOption,
    status: Annotated[Status | None, typer.Option(help="Only those in this state.")] = None,
    last: Annotated[int, typer.Option(min=1, help="How many of the latest reports to look at.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the latest reports of a bench, the newest first, each in the version that is in force."""
    with desk_at(bench) as desk:
        unread: list[str] = []
        found = [one for one in desk.reports(last, unread) if status is None or one[0].life.status is status]
    if as_json:
        for report, entry in found:
            typer.echo(json.dumps(pages.line(report, entry)))
    else:
        plain_console().print(pages.table(found) if found else "No reports.")
    for line in unread:
        typer.echo(f"leukoscope: {line}", err=True)
    if unread:
        raise typer.Exit(2)


@report_app.command()
def show(
    report: ReportArgument,
    bench: BenchOption,
    cells: Annotated[bool, typer.Option("--cells", help="Also list every white cell with its number.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show a report's counts, findings and history."""
    with desk_at(bench) as desk:
        found = desk.find(report)
        kept = desk.cells(found.key.id) if cells else None
    if as_json:
        typer.echo(found.payload.decode())
        for cell in () if kept is None else kept.cells:
            typer.echo(json.dumps(pages.cell_line(cell)))
        return
    console = plain_console()
    console.print(pages.page(decode(found.payload)))
    if cells:
        console.print(pages.cells(kept) if kept is not None else "The cells of this report were not kept.")


@report_app.command()
def pictures(
    report: ReportArgument,
    bench: BenchOption,
    to: Annotated[Path, typer.Option(help="The folder they are written into; made when missing.")],
    named: Annotated[
        bool, typer.Option("--named", help="Only cells that people named or confirmed, for leukoscope adapt --named.")
    ] = False,
) -> None:
    """Write the pictures of a report's white cells as WebP files, named after number and class.

    With --named a folder per class and report, as PNG at 0.15 µm per pixel: several reports may share the folder.
    """
    with desk_at(bench) as desk:
        found = desk.find(report)
        kept = list(pictures_of(desk.outbox, found.key.id, found.key.version))
    if not kept:
        raise ReviewError(
            f"there are no pictures of report {found.key.id}", "set cells.pictures before the next sample"
        )
    provenance, written = decode(found.payload).provenance, len(kept)
    try:
        if named:
            written = write_named(kept, provenance.um_per_px, to, found.key.id)
        else:
            to.mkdir(parents=True, exist_ok=True)
            for one in kept:
                (to / f"cell-{one.number:05d}-{one.name}.webp").write_bytes(one.webp)
    except OSError as error:
        raise ReviewError(f"pictures cannot be written to {to} ({error.strerror})", "choose another --to") from error
    if not written:
        raise ReviewError(
            f"nobody has named or confirmed a pictured cell of report {found.key.id}", "leukoscope report review does"
        )
    source = "" if provenance.source is Source.LIVE else f"{provenance.source.value.upper()} · "
    typer.echo(f"{source}{written} pictures in {to}" + (f", at {UM_PER_PX} µm per pixel" if named else ""))


@report_app.command()
def review(
    report: ReportArgument,
    bench: BenchOption,
    by: ByOption,
    relabel: RelabelOption = None,
    confirm: ConfirmOption = None,
    all_checked: AllOption = False,
    opened: OpenedOption = None,
    missed: MissedOption = None,
    sample_id: SampleOption = None,
    again: AgainOption = False,
    note: NoteOption = "",
) -> None:
    """Look at a preliminary report and say what its cells really are; counts, intervals and findings follow."""
    cells = _relabelled(relabel), _numbers(confirm), all_checked
    decision = Decision(
        Action.REVIEW, by, note, *cells, sample_id, again, opened=frozenset(_parts(opened)), missed=_missed(missed)
    )
    _take(bench, report, decision)


@report_app.command()
def finalise(report: ReportArgument, bench: BenchOption, by: ByOption, note: NoteOption = "") -> None:
    """Sign a reviewed report: no unsure or suspect cell may be undecided, and of each class a cell was looked at."""
    _take(bench, report, Decision(Action.FINALISE, by, note))


@report_app.command()
def amend(report: ReportArgument, bench: BenchOption, by: ByOption, note: ReasonOption) -> None:
    """Add a remark to a signed report; its numbers stand."""
    _take(bench, report, Decision(Action.AMEND, by, note))


@report_app.command()
def correct(
    report: ReportArgument,
    bench: BenchOption,
    by: ByOption,
    note: ReasonOption,
    relabel: RelabelOption = None,
    confirm: ConfirmOption = None,
    all_checked: AllOption = False,
    missed: MissedOption = None,
    sample_id: SampleOption = None,
    again: AgainOption = False,
) -> None:
    """Put an error in a signed report right."""
    cells = _relabelled(relabel), _numbers(confirm), all_checked
    decision = Decision(Action.CORRECT, by, note, *cells, sample_id, again, missed=_missed(missed))
    _take(bench, report, decision)


def _take(bench: Path, report: str, decision: Decision) -> None:
    with desk_at(bench) as desk:
        done = desk.take(report, decision)
    plain_console().print(pages.page(done.report))
    if done.unfiled:
        typer.echo(f"leukoscope: {done.unfiled}", err=True)


def _relabelled(values: list[str] | None) -> dict[int, str]:
    names: dict[int, str] = {}
    for one in _parts(values):
        number, equals, name = one.partition("=")
        if not (equals and number.isdecimal() and name):
            raise ReviewError(
                f"--relabel: expected CELL=CLASS such as 17=blast, found {one!r}", "write it as CELL=CLASS"
            )
        if names.get(int(number), name) != name:
            raise ReviewError(
                f"--relabel: cell {number} is called both {names[int(number)]} and {name}", "name each cell once"
            )
        names[int(number)] = name
    return names


def _missed(values: list[str] | None) -> tuple[MissedCell, ...]:
    found = []
    for one in _parts(values):
        where, _, name = one.partition("=")
        numbers = where.split("/")
        if len(numbers) != 3 or not all(part.isdecimal() and len(part) < 7 for part in numbers) or not name:
            raise ReviewError(
                f"--missed: expected FIELD/X/Y=CLASS such as 3/412/230=blast, found {one!r}",
                "write it as FIELD/X/Y=CLASS",
            )
        field, x, y = map(int, numbers)
        found.append(MissedCell(field, x, y, name))
    return tuple(found)


def _numbers(values: list[str] | None) -> frozenset[int]:
    parts = _parts(values)
    if wrong := [one for one in parts if not one.isdecimal()]:
        raise ReviewError(
            f"--confirm: expected the number of a cell, found {wrong[0]!r}", "give numbers from the report"
        )
    return frozenset(map(int, parts))


def _parts(values: list[str] | None) -> list[str]:
    return [part.strip() for one in values or () for part in one.split(",")]
