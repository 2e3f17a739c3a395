"""A report as one self-contained HTML file that prints on one page."""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources

from leukoscope.exporting.charts import axis, axis_end, diameters, key_to_shares, shares_row
from leukoscope.exporting.original import Original
from leukoscope.exporting.report_pictures import Gallery
from leukoscope.exporting.report_words import NO_DIAGNOSIS, in_words, whole
from leukoscope.exporting.sheet import Row, Sheet, sheet_of
from leukoscope.exporting.svg import as_svg
from leukoscope.specimen.sample import Certainty, Finding

BARS_WIDTH = 200.0
CHART_WIDTH, CHART_HEIGHT = 230.0, 76.0
CELLS_PER_CLASS = 6
CERTAINTY = {
    Certainty.CERTAIN: "certain",
    Certainty.LIKELY: "likely",
    Certainty.CANNOT_BE_EXCLUDED: "cannot be excluded",
}


def as_html(original: Original, gallery: Gallery) -> str:
    """The file as text; it refers to nothing outside itself."""
    sheet = sheet_of(original, gallery)
    style = resources.files("leukoscope.exporting").joinpath("page.css").read_text("utf-8")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(sheet.title)} {escape(sheet.specimen)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"{_head(sheet)}{_differential(sheet)}"
        f'<div class="halves">{_findings(sheet.findings)}{_red_cells(sheet)}</div>\n'
        f"{_pictures(sheet)}"
        f'<footer><dl class="origin">{_pairs(sheet.origin)}</dl><p class="notice">{NO_DIAGNOSIS}</p></footer>\n'
        f"</body>\n</html>\n"
    )


def _head(sheet: Sheet) -> str:
    warnings = "".join(
        f'<li class="{"grave" if warning.grave else "caution"}">{escape(warning.text)}</li>'
        for warning in sheet.warnings
    )
    return (
        f'<header><div><p class="kind">{escape(sheet.title)} · differential count</p>'
        f"<h1>{escape(sheet.specimen)}</h1></div>"
        f'<p class="status"><b>{escape(sheet.status)}</b>{escape(sheet.status_words)}</p></header>\n'
        + (f'<ul class="warnings">{warnings}</ul>\n' if warnings else "")
        + f'<dl class="facts">{_pairs(sheet.facts)}</dl>\n'
    )


def _differential(sheet: Sheet) -> str:
    end = axis_end([row.counted for row in sheet.rows] + [row.corrected for row in sheet.rows if row.corrected])
    rows = "".join(_row(row, end) for row in sheet.rows)
    beside = [f"{name} {text}" for name, text in sheet.beside]
    groups = [f"{name} {text}" for name, text in sheet.groups]
    notes = [
        f"Not corrected for naming errors: {sheet.not_corrected_because}." if sheet.not_corrected_because else "",
        f"Beside the differential: {', '.join(beside)}." if beside else "",
        f"Groups, corrected: {'; '.join(groups)}." if groups else "",
    ]
    return (
        f"<section><h2>{sheet.counted}</h2>\n<table><thead><tr><th>Class</th><th>n</th>"
        "<th>As counted (95 % interval)</th><th>Corrected (95 % interval)</th>"
        f"<th>{as_svg(axis(end, BARS_WIDTH))}</th></tr></thead>\n<tbody>{rows}</tbody></table>\n"
        f'<p class="key">{as_svg(key_to_shares())}</p>'
        + "".join(f'<p class="note">{escape(note)}</p>' for note in notes if note)
        + "</section>\n"
    )


def _row(row: Row, end: float) -> str:
    corrected = "" if row.corrected is None else in_words(row.corrected)
    seen = "" if row.count else ' class="none"'
    return (
        f"<tr{seen}><th>{escape(row.name)}</th><td>{whole(row.count)}</td><td>{in_words(row.counted)}</td>"
        f"<td>{corrected}</td><td>{as_svg(shares_row(row.counted, row.corrected, end, BARS_WIDTH))}</td></tr>\n"
    )


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return "<section><h2>Findings</h2><p>Nothing was pointed out.</p></section>"
    list_items = (
        f'<li class="{one.certainty}" title="{CERTAINTY[one.certainty]}">{escape(one.text)}</li>' for one in findings
    )
    return f'<section><h2>Findings</h2><ul class="findings">{"".join(list_items)}</ul></section>'


def _red_cells(sheet: Sheet) -> str:
    chart = (
        "" if sheet.diameters is None else as_svg(diameters(sheet.diameters, sheet.mean_um, CHART_WIDTH, CHART_HEIGHT))
    )
    return (
        f"<section><h2>Red cells and platelets</h2>{chart}"
        f'<dl class="sizes">{_pairs([*sheet.red_cells, *sheet.others])}</dl></section>'
    )


def _pictures(sheet: Sheet) -> str:
    cells = "".join(
        f"<figure><div>{_images(pictures[:CELLS_PER_CLASS])}</div><figcaption>{escape(name)}</figcaption></figure>"
        for name, pictures in sheet.cells.items()
    )
    if cells:
        return f'<section><h2>Cells, as they were named</h2><div class="cells">{cells}</div></section>\n'
    if sheet.fields:
        heading = "Fields, as the device outlined and named their cells"
        return f'<section><h2>{heading}</h2><div class="fields">{_images(sheet.fields)}</div></section>\n'
    return ""


def _images(pictures: Iterable[bytes]) -> str:
    return "".join(
        f'<img alt="" src="data:{_kind(picture)};base64,{base64.b64encode(picture).decode()}">' for picture in pictures
    )


def _kind(picture: bytes) -> str:
    if picture.startswith(b"\x89PNG"):
        return "image/png"
    return "image/webp" if picture[8:12] == b"WEBP" else "image/jpeg"


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in pairs)
