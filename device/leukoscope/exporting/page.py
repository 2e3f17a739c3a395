"""A report as one self-contained HTML file that prints on one page."""

import base64
from collections.abc import Iterable, Iterator

from leukoscope.exporting.charts import axis, axis_end, diameters, key_to_shares, shares_row
from leukoscope.exporting.laboratory import NO_LABORATORY, LaboratorySettings
from leukoscope.exporting.original import Original
from leukoscope.exporting.rendering import as_svg, rendered
from leukoscope.exporting.report_pictures import Gallery
from leukoscope.exporting.report_words import NO_DIAGNOSIS, in_words, whole
from leukoscope.exporting.sheet import Row, Sheet, sheet_of
from leukoscope.specimen.sample import Certainty

BARS_WIDTH = 200.0
CHART_WIDTH, CHART_HEIGHT = 230.0, 76.0
CELLS_PER_CLASS = 6
CERTAINTY = {
    Certainty.CERTAIN: "certain",
    Certainty.LIKELY: "likely",
    Certainty.CANNOT_BE_EXCLUDED: "cannot be excluded",
}


def as_html(original: Original, gallery: Gallery, laboratory: LaboratorySettings = NO_LABORATORY) -> str:
    """The file as text; it refers to nothing outside itself."""
    sheet = sheet_of(original, gallery, laboratory)
    end = axis_end([row.counted for row in sheet.rows] + [row.corrected for row in sheet.rows if row.corrected])
    chart = sheet.diameters
    return str(
        rendered(
            "report.html",
            sheet=sheet,
            axis=as_svg(axis(end, BARS_WIDTH)),
            rows=[_row(row, end) for row in sheet.rows],
            has_corrected=any(row.corrected is not None for row in sheet.rows),
            key_to_shares=as_svg(key_to_shares(corrected=any(row.corrected is not None for row in sheet.rows))),
            notes=list(_notes(sheet)),
            certainty=CERTAINTY,
            diameters=None if chart is None else as_svg(diameters(chart, sheet.mean_um, CHART_WIDTH, CHART_HEIGHT)),
            cells={name: _addresses(pictures[:CELLS_PER_CLASS]) for name, pictures in sheet.cells.items()},
            fields=_addresses(sheet.fields),
            no_diagnosis=NO_DIAGNOSIS,
        )
    )


def _row(row: Row, end: float) -> dict[str, object]:
    return {
        "name": row.name,
        "seen": row.count > 0,
        "count": whole(row.count),
        "counted": in_words(row.counted),
        "reference": row.reference,
        "corrected": "" if row.corrected is None else in_words(row.corrected),
        "bars": as_svg(shares_row(row.counted, row.corrected, end, BARS_WIDTH)),
    }


def _notes(sheet: Sheet) -> Iterator[str]:
    """What stands below the differential."""
    if sheet.reference_source:
        yield f"Reference: {sheet.reference_source}."
    if sheet.not_corrected_because:
        yield f"Not corrected for naming errors: {sheet.not_corrected_because}."
    if sheet.beside:
        yield f"Beside the differential: {', '.join(f'{name} {text}' for name, text in sheet.beside)}."
    if sheet.groups:
        yield f"Groups, corrected: {'; '.join(f'{name} {text}' for name, text in sheet.groups)}."


def _addresses(pictures: Iterable[bytes]) -> list[str]:
    """Pictures as addresses that hold them whole."""
    return [f"data:{_kind(picture)};base64,{base64.b64encode(picture).decode()}" for picture in pictures]


def _kind(picture: bytes) -> str:
    if picture.startswith(b"\x89PNG"):
        return "image/png"
    return "image/webp" if picture[8:12] == b"WEBP" else "image/jpeg"
