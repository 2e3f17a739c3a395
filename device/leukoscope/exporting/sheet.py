"""What a report says to people, as text and drawings in order; HTML and PDF only lay it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leukoscope.exporting.codes import CELLS, PER_1000_RED_CELLS
from leukoscope.exporting.laboratory import NO_LABORATORY, LaboratorySettings, range_words
from leukoscope.exporting.original import Original
from leukoscope.exporting.quantities import Quantity, quantities_of
from leukoscope.exporting.report_pictures import SUSPECTS, Gallery
from leukoscope.exporting.report_words import (
    OriginWarning,
    class_words,
    in_words,
    looked_at_words,
    origin_warnings,
    quantity_words,
    status_words,
    whole,
)
from leukoscope.specimen.lifecycle import SIGNED
from leukoscope.specimen.sample import CELLS_CALLED, BundleIdentity, Finding, Histogram, Mode, SampleReport

_ENDED = {
    "enough_cells": "enough cells were counted",
    "technician": "ended by the technician",
    "end_of_pictures": "the pictures ended",
    "fault": "a part of the device failed",
}


_POINTED_OUT = ("blast", "myeloblast", "lymphoblast", "monoblast", SUSPECTS)
"""Classes of cells that a reader has to see with their own eyes."""
_TOLD_ABOVE = ("simulated", "replayed", "uncalibrated")
"""Findings that the warnings above the numbers tell in other words."""


@dataclass(frozen=True, slots=True)
class Row:
    """One class of the differential."""

    name: str
    count: int
    counted: Quantity
    corrected: Quantity | None
    reference: str = ""
    """The range that the laboratory holds it against; empty without one."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page."""

    title: str
    laboratory: str
    """Its name; empty leaves a line to write on."""
    address: str
    signed: tuple[str, str] | None
    """Who signed, and when; None leaves lines to write on."""
    counted: str
    """What the differential counts: "White cells"."""
    specimen: str
    status: str
    status_words: str
    facts: Sequence[tuple[str, str]]
    """Name and text, for the head of the page."""
    warnings: Sequence[OriginWarning]
    """What must be seen before any number; empty for a measured bench with a real slide."""
    rows: Sequence[Row]
    reference_source: str
    """Where the reference ranges come from; empty where there are none."""
    not_corrected_because: str | None
    groups: Sequence[tuple[str, str]]
    """Groups of classes and their corrected shares."""
    beside: Sequence[tuple[str, str]]
    """Cells that are not in the differential."""
    red_cells: Sequence[tuple[str, str]]
    diameters: Histogram | None
    mean_um: float | None
    others: Sequence[tuple[str, str]]
    """Platelets, ratios and fields."""
    findings: Sequence[Finding]
    cells: Mapping[str, Sequence[bytes]]
    """Pictures by name of the class; blasts and suspects, which the report points out, come first."""
    pointed_out: Sequence[str]
    """Names of those classes among `cells`."""
    fields: Sequence[bytes]
    origin: Sequence[tuple[str, str]]
    """Everything needed to judge or repeat the result."""


def sheet_of(original: Original, gallery: Gallery, laboratory: LaboratorySettings = NO_LABORATORY) -> Sheet:
    """The page of a report, as a laboratory prints it."""
    report = original.report
    quantities = quantities_of(report)
    by_key = {one.key: one for one in quantities}
    status, mode = status_words(original.status), report.rules.mode
    lines = [by_key[f"share.{line.cell_class}"] for line in report.differential]
    ranges = laboratory.ranges(mode)
    held = [range_words(ranges.get(one.of)) for one in lines]
    signature = original.signature if original.status in tuple(SIGNED) else None
    pictured = _in_order(gallery.cells, report)
    return Sheet(
        laboratory=laboratory.name,
        address=laboratory.address,
        signed=None if signature is None else (signature.by, f"{signature.at:%Y-%m-%d %H:%M} UTC"),
        reference_source=laboratory.source if any(held) else "",
        title="Bone-marrow smear" if mode == "marrow" else "Blood smear",
        counted=_capital(CELLS_CALLED[mode]),
        specimen=report.sample_id or "no identifier",
        status=status.title,
        status_words=" ".join(one for one in (_who(original, status.words), looked_at_words(report)) if one),
        facts=_facts(report),
        warnings=origin_warnings(original),
        rows=[
            Row(_capital(class_words(one.of)), one.count or 0, one, by_key.get(f"share_corrected.{one.of}"), said)
            for one, said in zip(lines, held, strict=True)
        ],
        not_corrected_because=report.not_corrected_because,
        groups=[(class_words(one.of), in_words(one)) for one in quantities if one.name == "group_share_corrected"],
        beside=_beside(report, by_key),
        red_cells=_told(
            by_key,
            mode,
            "counted.red_cells",
            "mean_diameter.red_cells",
            "diameter_cv.red_cells",
            "irregular_share.red_cells",
        ),
        diameters=report.red_cells.diameters_um,
        mean_um=report.red_cells.mean_diameter_um,
        others=_others(report, by_key),
        findings=[finding for finding in report.findings if finding.code not in _TOLD_ABOVE],
        cells={_capital(class_words(key)): gallery.cells[key] for key in pictured},
        pointed_out=[_capital(class_words(key)) for key in pictured if _is_pointed_out(key)],
        fields=gallery.fields,
        origin=_origin(report),
    )


def _who(original: Original, words: str) -> str:
    signature = original.signature
    return words if signature is None else f"{words} {signature.by}, {signature.at:%Y-%m-%d}"


def _in_order(cells: Mapping[str, Sequence[bytes]], report: SampleReport) -> list[str]:
    """The classes that have pictures: what the report points out, then those of the differential in its order."""
    ranks = {line.cell_class: rank for rank, line in enumerate(report.differential)}
    pictured = (key for key, pictures in cells.items() if pictures)
    return sorted(pictured, key=lambda key: (not _is_pointed_out(key), ranks.get(key, len(ranks))))


def _is_pointed_out(key: str) -> bool:
    return key in _POINTED_OUT


def _facts(report: SampleReport) -> list[tuple[str, str]]:
    made = report.provenance
    seconds = max(0, round((report.finished_at - report.started_at).total_seconds()))
    return [
        (f"{_capital(CELLS_CALLED[report.rules.mode])} counted", whole(report.white_cells)),
        ("Red cells counted", whole(report.red_cells.count)),
        ("Fields", f"{whole(report.fields_counted)} counted, {whole(report.fields_rejected_total)} refused"),
        ("Finished", f"{report.finished_at:%Y-%m-%d %H:%M} {report.finished_at.tzname()}"),
        ("Took", f"{seconds // 60} min {seconds % 60} s; {_ENDED.get(report.finished_because, '')}"),
        ("Device", f"{made.device} at {made.site}"),
    ]


def _beside(report: SampleReport, by_key: Mapping[str, Quantity]) -> list[tuple[str, str]]:
    pairs = []
    for key, count in report.beside.items():
        per = by_key.get(f"per_100.{key}")
        pairs.append((class_words(key), f"{whole(count)}" + (f"; {in_words(per)}" if per is not None else "")))
    return pairs


def _others(report: SampleReport, by_key: Mapping[str, Quantity]) -> list[tuple[str, str]]:
    refused = ", ".join(f"{flaw.replace('_', ' ')} {count}" for flaw, count in report.fields_rejected.items())
    fields = [("fields refused for", refused)] if refused else []
    mode = report.rules.mode
    counted = _told(by_key, mode, "counted.platelets", "per_1000.platelets", "per_1000.white_cells", "area.fields")
    return [*counted, *fields]


def _told(by_key: Mapping[str, Quantity], mode: Mode, *keys: str) -> list[tuple[str, str]]:
    return [(quantity_words(by_key[key], mode), _without_echo(by_key[key])) for key in keys]


def _without_echo(one: Quantity) -> str:
    """The number without the unit where the name has said it."""
    return in_words(one, with_unit=one.unit not in (CELLS, PER_1000_RED_CELLS))


def _origin(report: SampleReport) -> list[tuple[str, str]]:
    made, rules = report.provenance, report.rules
    calibration = "measured" if made.calibration_measured else "nominal, not measured on this bench"
    clock = {True: "synchronised", False: "not synchronised", None: "unknown whether synchronised"}
    pairs = [
        ("Report", f"{report.id}, version {report.version}"),
        ("Software", f"leukoscope {made.software_version}, boot {made.boot_id}"),
        ("Segmenter", _network(made.segmenter)),
        ("Classifier", _network(made.classifier)),
        ("Calibration", f"{made.calibration_id}, {calibration}; {made.um_per_px:.4g} µm per pixel"),
        ("Rules", f"{rules.id} {rules.version}, sha256 {rules.sha256[:12]}"),
        ("Pictures", f"{made.source.value}; clock {clock[made.clock_synchronised]}"),
        ("Counting", report.border_rule),
    ]
    if report.differential_corrected is not None:
        pairs.append(("Correction", report.differential_corrected.method))
    return pairs


def _network(bundle: BundleIdentity) -> str:
    return f"{bundle.name} {bundle.version} on {bundle.engine}, sha256 {bundle.sha256[:12]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
