"""From reviewed reports to the record of checked cells, and back: cells to be named by people who see no name."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from PIL import Image

from leukoscope.errors import ReviewError
from leukoscope.messages.report import decode
from leukoscope.outbox.cell_pictures import KeptPicture, pictures_of
from leukoscope.outbox.white_cells import KeptSample, Named
from leukoscope.reviewing.bench_record import BenchRecord
from leukoscope.reviewing.checked_cells import (
    BenchConditions,
    CheckedCell,
    CheckedReport,
    drawn_cells,
    in_drawing_order,
)
from leukoscope.reviewing.decision import Decision
from leukoscope.reviewing.desk import Desk
from leukoscope.reviewing.named_cells import in_the_middle
from leukoscope.reviewing.review import check_classes
from leukoscope.reviewing.verification_progress import ENOUGH_SPECIMENS
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.lifecycle import Action, Status
from leukoscope.specimen.sample import SampleReport, Source

MOST_REPORTS = 10_000
"""The latest; more than an outbox keeps."""
COLUMNS = ("cell", "name")
SHEET = "names.csv"
CELLS_OF_REPORT = 10
"""On a sheet: cells of one specimen tell less of the bench than as many of several."""


def checked_reports(desk: Desk, blind: Mapping[str, Iterable[int]]) -> Iterator[CheckedReport]:
    """Every report with a checked cell.

    Args:
        desk: of the bench.
        blind: numbers of cells, by report, that have just been named by people who had not seen the classifier's name.
    """
    for report, entry in desk.reports(MOST_REPORTS):
        kept = desk.cells(report.id) if report.life.steps else None
        if kept is not None and (cells := _checked(kept)):
            provenance = report.provenance
            conditions = BenchConditions.of(provenance)
            naming = [step for step in report.life.steps if step.status in (Status.REVIEWED, Status.CORRECTED)]
            yield CheckedReport(
                report=report.id,
                version=entry.key.version,
                specimen=report.sample_id,
                source=provenance.source,
                classifier=conditions.classifier,
                calibration=conditions.calibration,
                camera=conditions.camera,
                by=tuple(sorted({step.by for step in naming})),
                at=max(step.at for step in naming),
                cells=cells,
                drawn=drawn_cells(report.id, {one.record.number: one.checked for one in _found_cells(kept)}),
                blind=tuple(sorted(blind.get(report.id, ()))),
            )


def _checked(kept: KeptSample) -> tuple[CheckedCell, ...]:
    """Cells that the classifier answered and a person could name."""
    return tuple(
        CheckedCell(
            number=cell.record.number, answer=cell.record.cell_class, truth=cell.name, suspect=cell.record.suspect
        )
        for cell in _found_cells(kept)
        if cell.checked and cell.name != UNSURE
    )


def _found_cells(kept: KeptSample) -> list[Named]:
    """Those that the device found; a person has added the others."""
    return [cell for cell in kept.cells if not cell.record.is_missed]


def write_sheet(desk: Desk, now: BenchConditions, folder: Path, cells: int) -> int:
    """Draw unchecked cells of the latest live reports and write their pictures, and a table to fill in.

    Nothing in folder or table says what the classifier calls them. Drawn are cells of reports of which every cell has
    a picture: a choice of the least sure ones would tell too little of the others. Of each report those come first that
    `drawn_cells` asks for first.

    Returns:
        How many were written.

    Raises:
        ReviewError: there are none, or the folder cannot be written to.
    """
    reports: list[tuple[SampleReport, list[int], dict[int, KeptPicture]]] = []
    partly = 0
    for report, entry in desk.reports(MOST_REPORTS):
        if report.provenance.source is not Source.LIVE or BenchConditions.of(report.provenance) != now:
            continue
        kept = desk.cells(report.id)
        pictures = {one.number: one for one in pictures_of(desk.outbox, entry.key.id, entry.key.version)}
        if kept is None or len(pictures) < len(_found_cells(kept)):
            partly += 1
            continue
        unchecked = [cell.record.number for cell in _found_cells(kept) if not cell.checked]
        if unchecked:
            reports.append((report, in_drawing_order(report.id, unchecked), pictures))
        if len(reports) == max(ENOUGH_SPECIMENS, cells // CELLS_OF_REPORT):
            break
    # Reports are mixed, and the cells of each stay in order, so that the upper half of a sheet counts, too.
    drawn = [
        (report, order[rank], pictures)
        for rank in range(max((len(order) for _, order, _ in reports), default=0))
        for report, order, pictures in reports
        if rank < len(order)
    ][:cells]
    if not drawn:
        why = f" ({partly} have pictures of some of their cells alone: raise cells.pictures)" if partly else ""
        raise ReviewError(
            f"no live report of this bench has unchecked cells with pictures{why}",
            "set cells.pictures in the settings to at least the number of cells of a sample, and count",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / SHEET).open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for report, number, pictures in drawn:
                name = f"{report.id}-{number:05d}"
                picture = in_the_middle(pictures[number], report.provenance.um_per_px)
                Image.fromarray(picture).save(folder / f"{name}.png")
                table.writerow((name, ""))
    except OSError as error:
        raise ReviewError(f"the sheet cannot be written to {folder} ({error.strerror})", "choose another") from error
    return len(drawn)


def read_sheet(path: Path) -> dict[str, dict[int, str]]:
    """Names by report and number of the cell; rows without a name are left out.

    Raises:
        ReviewError: it cannot be read, or is no such table.
    """
    names: dict[str, dict[int, str]] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            if not set(COLUMNS) <= set(table.fieldnames or ()):
                raise ReviewError(f"{path}: expected the columns {', '.join(COLUMNS)}", "fill in what --sheet wrote")
            for row in table:
                report, _, number = (row["cell"] or "").rpartition("-")
                if not (name := (row["name"] or "").strip()):
                    continue
                if not report or not number.isdecimal():
                    raise ReviewError(
                        f"{path}: {row['cell']!r} is no cell that --sheet wrote", "leave the column as it was"
                    )
                names.setdefault(report, {})[int(number)] = name
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ReviewError(f"{path} cannot be read ({error})", "give the table that --sheet wrote") from error
    if not names:
        raise ReviewError(f"{path} holds no name yet", "fill in the column name")
    return names


def take_names(desk: Desk, names: Mapping[str, Mapping[int, str]], by: str) -> list[str]:
    """Put the names of a sheet into their reports, each as one step of its life.

    Returns:
        Why new versions could not be written as files as well; empty where they are.

    Raises:
        ReviewError: a report is gone, or a name is no class of its classifier; then no report is changed.
    """
    for report, cells in names.items():
        # One wrong name in a sheet of a hundred is put right and the sheet read again, from the beginning.
        kept = desk.cells(decode(desk.find(report).payload).id)
        if kept is not None:
            check_classes(kept, set(cells.values()))
    unfiled = []
    for report, cells in names.items():
        status = decode(desk.find(report).payload).life.status
        action = Action.REVIEW if Action.REVIEW.is_open_to(status) else Action.CORRECT
        done = desk.take(report, Decision(action, by, "named without the classifier's name", dict(cells)))
        unfiled += [done.unfiled] if done.unfiled else []
    return unfiled


def brought_up_to_date(record: BenchRecord, path: Path, desk: Desk, blind: Mapping[str, Iterable[int]]) -> BenchRecord:
    """The record with all that was checked since, written where it has changed.

    Raises:
        ReviewError: it cannot be written.
    """
    new = record.with_reports(checked_reports(desk, blind))
    if new.reports != record.reports:
        new.write(path)
    return new
