"""A report as one page of PDF, A4, drawn with reportlab (extra `export`)."""

from collections.abc import Sequence

from leukoscope.exporting.charts import ROW_HEIGHT, axis, axis_end, diameters, key_to_shares, shares_row
from leukoscope.exporting.drawing import (
    ALARM,
    ALARM_GROUND,
    CAUTION,
    CAUTION_GROUND,
    CORRECTED,
    COUNTED_END,
    HAIR,
    INK,
    MUTED,
)
from leukoscope.exporting.laboratory import NO_LABORATORY, LaboratorySettings
from leukoscope.exporting.original import Original
from leukoscope.exporting.paper import HEIGHT, MARGIN, WIDTH, Paper
from leukoscope.exporting.pdf_pictures import pictures
from leukoscope.exporting.report_pictures import Gallery
from leukoscope.exporting.report_words import NO_DIAGNOSIS, in_words, whole
from leukoscope.exporting.sheet import Row, Sheet, sheet_of
from leukoscope.specimen.sample import Certainty, Finding

RIGHT = WIDTH - MARGIN
BARS_WIDTH = 205.0
COUNT_AT, COUNTED_AT, CORRECTED_AT, SHARE_SIZE = 142.0, 224.0, 305.0, 7.8
"""Right ends of three columns: between them the widest share, 100.0 % (39.8–100.0), has room at this size."""
MOST_ROWS = 22
STATUS_WIDTH = 160.0
SPECIMEN_SIZES, SPECIMEN_WIDTH = (19.0, 15.0, 12.0, 9.0), 350.0
CHART_WIDTH, CHART_HEIGHT = 212.0, 76.0
COLUMN_GAP = 26.0
FINDING_SIZES = (8.2, 7.4, 6.6)
"""Points; the first in which all findings have room."""
LEADING = 1.32
ORIGIN_SIZE = 6.3
_LEAST_FINDINGS_HEIGHT = 150.0


def as_pdf(original: Original, gallery: Gallery, laboratory: LaboratorySettings = NO_LABORATORY) -> bytes:
    """The file; its numbers are text, not pictures.

    Raises:
        ExportError: reportlab is not installed, or the report's status is unknown.
    """
    sheet = sheet_of(original, gallery, laboratory)
    paper = Paper(f"{sheet.title} {sheet.specimen}", f"leukoscope {original.report.provenance.software_version}")
    floor = _signature(paper, sheet, _origin(paper, sheet))
    y = _differential(paper, sheet, _head(paper, sheet))
    room = floor - y - 20
    findings_end = _findings(paper, sheet.findings, y + 20, max(_LEAST_FINDINGS_HEIGHT, room - 90))
    y = max(findings_end, _red_cells(paper, sheet, y + 20))
    if not pictures(paper, sheet, y + 16, floor - 8) and sheet.pointed_out:
        # What a report points out is shown, on a sheet of its own where the first is full.
        paper.next_sheet(f"{sheet.title} {sheet.specimen}, continued")
        pictures(paper, sheet, 80, HEIGHT - MARGIN)
    return paper.finish()


def _head(paper: Paper, sheet: Sheet) -> float:
    """Everything above the first number; returns where it ends."""
    _laboratory(paper, sheet)
    paper.text(MARGIN, 44, f"{sheet.title} · differential count", 8.6, MUTED)
    status_lines = paper.lines(sheet.status_words, STATUS_WIDTH, 8.2)
    paper.text(RIGHT, 44, sheet.status, 11, bold=True, side="right")
    for number, line in enumerate(status_lines):
        paper.text(RIGHT, 56 + 10 * number, line, 8.2, MUTED, side="right")
    y = max(_specimen(paper, sheet.specimen), 66 + 10 * (len(status_lines) - 1))
    for warning in sheet.warnings:
        colour, ground = (ALARM, ALARM_GROUND) if warning.grave else (CAUTION, CAUTION_GROUND)
        paper.box(MARGIN, y, RIGHT - MARGIN, 16, ground)
        paper.box(MARGIN, y, 3.5, 16, colour)
        paper.text(MARGIN + 11, y + 11, warning.text, 8.6, colour, bold=True)
        y += 18.5
    paper.rule(y + 2, INK, 0.8)
    for x, width, (name, text) in zip((0, 80, 155, 235, 317, 437), (76, 71, 76, 78, 116, 86), sheet.facts, strict=True):
        paper.text(MARGIN + x, y + 13, name, 6.8, MUTED)
        for number, line in enumerate(paper.lines(text, width, 8.2)[:2]):
            paper.text(MARGIN + x, y + 23.5 + 9.5 * number, line, 8.2)
    paper.rule(y + 38, HAIR, 0.5)
    return y + 38


def _laboratory(paper: Paper, sheet: Sheet) -> None:
    """Who reports, above everything else; a line to write on where the settings do not say."""
    if sheet.laboratory:
        name = paper.fitted(sheet.laboratory, 240, 8.2, bold=True)
        paper.text(MARGIN, 26, name, 8.2, bold=True)
        paper.text(RIGHT, 26, paper.fitted(sheet.address, 270, 7.4), 7.4, MUTED, side="right")
    else:
        paper.text(MARGIN, 26, "Laboratory", 7.4, MUTED)
        paper.line(MARGIN + 44, 27, MARGIN + 250, MUTED)


def _signature(paper: Paper, sheet: Sheet, bottom: float) -> float:
    """Lines to sign on, or who signed; returns where they begin."""
    by, on = ("Signed by", "On") if sheet.signed else ("Reviewed by", "Date")
    said = (*(sheet.signed or ("", "")), "")
    y = bottom - 10
    for x, end, name, text in zip((0, 220, 370), (205, 355, 523), (by, on, "Signature"), said, strict=True):
        paper.text(MARGIN + x, y, name, 7.4, MUTED)
        paper.text(MARGIN + x + 46, y, paper.fitted(text, end - x - 46, 8.2), 8.2)
        paper.line(MARGIN + x + 46, y + 2, MARGIN + end, MUTED)
    return y - 14


def _specimen(paper: Paper, specimen: str) -> float:
    """The specimen's identifier, never shortened; returns where it ends."""
    for size in SPECIMEN_SIZES:
        lines = paper.lines(specimen, SPECIMEN_WIDTH, size, bold=True)
        if len(lines) == 1:
            break
    for number, line in enumerate(lines):
        paper.text(MARGIN, 66 + number * 1.15 * size, line, size, bold=True)
    return 76 + (len(lines) - 1) * 1.15 * size


def _differential(paper: Paper, sheet: Sheet, y: float) -> float:
    rows = _shown(sheet.rows)
    end = axis_end([row.counted for row in rows] + [row.corrected for row in rows if row.corrected is not None])
    bars = RIGHT - BARS_WIDTH
    y += 18
    paper.text(MARGIN, y, sheet.counted, 9.4, bold=True)
    corrected = any(row.corrected is not None for row in rows)
    columns = [(COUNT_AT, "n"), (COUNTED_AT, "counted (95 %)")]
    if corrected:
        columns.append((CORRECTED_AT, "corrected (95 %)"))
    reference = 346.0 if corrected else 275.0
    if sheet.reference_source:
        columns.append((reference, "reference"))
    for x, words in columns:
        paper.text(x, y, words, 6.8, MUTED, side="right")
    paper.paint(axis(end, BARS_WIDTH), bars, y - 8.5)
    y += 4
    for row in rows:
        paper.rule(y, HAIR, 0.4)
        paint = INK if row.count else MUTED
        baseline = y + ROW_HEIGHT * 0.68
        paper.text(MARGIN, baseline, paper.fitted(row.name, 82, SHARE_SIZE), SHARE_SIZE, paint)
        paper.text(COUNT_AT, baseline, whole(row.count), 8.4, paint, side="right")
        paper.text(COUNTED_AT, baseline, in_words(row.counted), SHARE_SIZE, paint, side="right")
        if row.corrected is not None:
            paper.text(CORRECTED_AT, baseline, in_words(row.corrected), SHARE_SIZE, CORRECTED, side="right")
        paper.text(reference, baseline, row.reference, 7.8, MUTED, side="right")
        paper.paint(shares_row(row.counted, row.corrected, end, BARS_WIDTH), bars, y)
        y += ROW_HEIGHT
    paper.rule(y, HAIR, 0.4)
    paper.paint(key_to_shares(corrected=corrected), MARGIN, y + 5)
    y += 25
    for note in _notes(sheet, len(sheet.rows) - len(rows)):
        for line in paper.lines(note, RIGHT - MARGIN, 7.2):
            paper.text(MARGIN, y, line, 7.2, MUTED)
            y += 9.5
    return y - 9.5


def _shown(rows: Sequence[Row]) -> list[Row]:
    """As many rows as there is room for, the largest, in the report's order."""
    largest = sorted(rows, key=lambda row: -row.count)[:MOST_ROWS]
    return [row for row in rows if row in largest]


def _notes(sheet: Sheet, left_out: int) -> list[str]:
    notes = [f"{left_out} smaller classes are not shown here; the CSV has them."] if left_out else []
    if sheet.reference_source:
        notes.append(f"Reference: {sheet.reference_source}.")
    if sheet.not_corrected_because is not None:
        notes.append(f"Not corrected for naming errors: {sheet.not_corrected_because}.")
    if sheet.beside:
        notes.append(f"Beside the differential: {', '.join(f'{name} {text}' for name, text in sheet.beside)}.")
    if sheet.groups:
        notes.append(f"Groups, corrected: {'; '.join(f'{name} {text}' for name, text in sheet.groups)}.")
    return notes


def _findings(paper: Paper, findings: Sequence[Finding], y: float, room: float) -> float:
    paper.text(MARGIN, y, "Findings", 9.4, bold=True)
    y += 14
    if not findings:
        paper.text(MARGIN, y, "Nothing was pointed out.", FINDING_SIZES[0], MUTED)
        return y
    width = RIGHT - MARGIN - CHART_WIDTH - COLUMN_GAP - 11
    for size in FINDING_SIZES:
        broken = [paper.lines(finding.text, width, size) for finding in findings]
        if sum(len(lines) * LEADING * size + 3 for lines in broken) <= room:
            break
    bottom = y + room
    for number, (finding, lines) in enumerate(zip(findings, broken, strict=True)):
        if y + len(lines) * LEADING * size > bottom and number:
            paper.text(MARGIN, y, f"{len(findings) - number} more are in the CSV and in FHIR", size, ALARM, bold=True)
            return y
        _certainty(paper, finding.certainty, MARGIN + 3, y - size * 0.33)
        for line in lines:
            paper.text(MARGIN + 11, y, line, size)
            y += LEADING * size
        y += 3
    return y - LEADING * size


def _certainty(paper: Paper, certainty: Certainty, x: float, y: float) -> None:
    """A full disc is certain, one with a dot likely, an empty one cannot be excluded."""
    paper.disc(x, y, 2.6, COUNTED_END if certainty is Certainty.CERTAIN else None, COUNTED_END)
    if certainty is Certainty.LIKELY:
        paper.disc(x, y, 0.9, COUNTED_END, COUNTED_END)


def _red_cells(paper: Paper, sheet: Sheet, y: float) -> float:
    left = RIGHT - CHART_WIDTH
    paper.text(left, y, "Red cells and platelets", 9.4, bold=True)
    y += 6
    if sheet.diameters is not None:
        paper.paint(diameters(sheet.diameters, sheet.mean_um, CHART_WIDTH, CHART_HEIGHT), left, y)
        y += CHART_HEIGHT
    y += 10
    for name, text in (*sheet.red_cells, *sheet.others):
        paper.text(left, y, name, 7.4, MUTED)
        paper.text(RIGHT, y, text, 7.4, side="right")
        y += 9.8
    return y - 9.8


def _origin(paper: Paper, sheet: Sheet) -> float:
    """The foot of the page, from the bottom up; returns where it begins."""
    column = RIGHT - MARGIN - 52
    broken = [(name, paper.lines(text, column, ORIGIN_SIZE)) for name, text in sheet.origin]
    leading = ORIGIN_SIZE * 1.28
    top = HEIGHT - MARGIN - 14 - leading * sum(len(lines) for _, lines in broken)
    paper.rule(top - 8, HAIR, 0.5)
    y = top
    for name, lines in broken:
        paper.text(MARGIN, y, name, ORIGIN_SIZE, MUTED)
        for line in lines:
            paper.text(MARGIN + 52, y, line, ORIGIN_SIZE)
            y += leading
    paper.text(MARGIN, HEIGHT - MARGIN + 2, NO_DIAGNOSIS, 8.6, bold=True)
    return top - 8
