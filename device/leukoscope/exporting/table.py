"""A report as a table: one row per measured quantity, one per bin of the histogram, one per finding."""

import csv
import io
from collections.abc import Iterator

from leukoscope.exporting.original import Original
from leukoscope.exporting.quantities import quantities_of
from leukoscope.specimen.sample import Finding, Histogram

COLUMNS = {
    "report_id": "id of the report, kept for life",
    "version": "version of the report, 1 for the first",
    "status": "preliminary: nobody has reviewed it; final, amended, corrected",
    "specimen_id": "what the site calls the specimen; behind an apostrophe where it begins as a formula would",
    "finished_at": "UTC, ISO 8601",
    "source": "live, replayed or simulated: only live is a specimen under the microscope",
    "not_verified": "restored: from its file, the outbox was lost; not_verified: no outbox knows it; empty: neither",
    "calibration": "measured or nominal; nominal sizes may be off",
    "kind": "quantity, bin (of the red-cell diameters) or finding",
    "name": "what is measured; of a finding its code",
    "of": "a class or group of the classifier, white_cells (also those of marrow), red_cells, platelets, fields",
    "unit": "UCUM; empty for a finding",
    "value": "empty where it is not known",
    "low": "lower end of the 95 % interval; of a bin its lower end",
    "high": "upper end of the 95 % interval; of a bin its upper end",
    "interval": "which error the interval holds; empty without one",
    "count": "how many of these were counted",
    "n": "of how many",
    "validated_cells": "corrected shares: cells whose naming was checked",
    "text": "why a value is missing; of a finding its words",
}
"""Every column and what it holds."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(original: Original) -> str:
    """The table as text, with a header line; lines end in CR LF as RFC 4180 has it."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    report = original.report
    same = {
        "report_id": report.id,
        "version": report.version,
        "status": original.status,
        "specimen_id": report.sample_id,
        "finished_at": report.finished_at.isoformat(),
        "source": report.provenance.source.value,
        "not_verified": original.doubt.value,
        "calibration": "measured" if report.provenance.calibration_measured else "nominal",
    }
    for row in _rows(original):
        writer.writerow({column: _harmless(value) for column, value in (same | row).items()})
    return out.getvalue()


def _harmless(value: object) -> object:
    """A text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay numbers.

    Source: OWASP, "CSV Injection".
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _rows(original: Original) -> Iterator[dict[str, object]]:
    report = original.report
    for one in quantities_of(report):
        yield {
            "kind": "quantity",
            "name": one.name,
            "of": one.of,
            "unit": one.unit,
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "interval": one.interval,
            "count": one.count,
            "n": one.n,
            "validated_cells": one.validated_cells,
            "text": one.absent,
        }
    if report.red_cells.diameters_um is not None:
        yield from _bins(report.red_cells.diameters_um)
    yield from map(_finding, report.findings)


def _bins(histogram: Histogram) -> Iterator[dict[str, object]]:
    for number, count in enumerate(histogram.counts):
        yield {
            "kind": "bin",
            "name": "diameter",
            "of": "red_cells",
            "unit": "um",
            "low": histogram.start + number * histogram.step,
            "high": histogram.start + (number + 1) * histogram.step,
            "count": count,
            "n": histogram.total,
        }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "kind": "finding",
        "name": finding.code,
        "value": finding.numbers.get("value"),
        "low": finding.numbers.get("low"),
        "high": finding.numbers.get("high"),
        "interval": finding.basis.value,
        "text": finding.text,
    }
