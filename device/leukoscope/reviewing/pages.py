"""Reports, cells and the trail as a person reads them in a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from leukoscope.outbox.audit_trail import AuditEntry
from leukoscope.outbox.entry import Entry
from leukoscope.outbox.white_cells import KeptSample, Named
from leukoscope.specimen.sample import CELLS_CALLED, Provenance, SampleReport, Source

_MOST_CHANGES = 12


def line(report: SampleReport, entry: Entry) -> dict[str, Any]:
    """A report in one line of JSON."""
    return {
        "id": report.id,
        "version": report.version,
        "status": report.life.status.value,
        "sample_id": report.sample_id,
        "finished_at": report.finished_at.isoformat(),
        "white_cells": report.white_cells,
        "cells_checked": report.life.cells_checked,
        "delivery": entry.state.value,
    }


def provenance_line(provenance: Provenance) -> str:
    """Who counted, with what, in one line; a result that is not from a live slide says so first."""
    source = "" if provenance.source is Source.LIVE else f"{provenance.source.value.upper()} · "
    networks = " + ".join(
        f"{bundle.name} {bundle.version} ({bundle.engine})" for bundle in (provenance.segmenter, provenance.classifier)
    )
    measured = "measured" if provenance.calibration_measured else "nominal"
    return (
        f"{source}{provenance.site}/{provenance.device} · leukoscope {provenance.software_version} · "
        f"{networks} · calibration {provenance.calibration_id} ({measured})"
    )


def table(found: Sequence[tuple[SampleReport, Entry]]) -> Table:
    """Reports in a list."""
    made = Table("report", "v", "status", "specimen", "finished (UTC)", "cells", "delivery")
    for report, entry in found:
        life = report.life
        made.add_row(
            report.id,
            str(report.version),
            life.status.value,
            plain(report.sample_id),
            f"{report.finished_at:%Y-%m-%d %H:%M}",
            str(report.white_cells),
            entry.state.value,
        )
    return made


def page(report: SampleReport) -> RenderableType:
    """One report: counts as counted and corrected, findings, history."""
    return Group(_differential(report), *(plain(line_text) for line_text in _lines(report)))


def cells(kept: KeptSample) -> Table:
    """The white cells of a report, in the order in which they were counted."""
    made = Table("cell", "class", "named by", "classifier said", "field", "box")
    for cell in kept.cells:
        record = cell.record
        made.add_row(
            str(record.number),
            plain(cell.name),
            "person" if cell.checked else "classifier",
            plain("missed" if record.is_missed else f"{record.cell_class} {record.confidence:.0%}"),
            str(record.field),
            " ".join(map(str, record.box)),
        )
    return made


def cell_line(cell: Named) -> dict[str, Any]:
    """A cell in one line of JSON."""
    return {
        "cell": cell.record.number,
        "class": cell.name,
        "checked": cell.checked,
        "classifier": cell.record.cell_class,
        "confidence": cell.record.confidence,
        "suspect": list(cell.record.suspect),
        "field": cell.record.field,
        "box": list(cell.record.box),
    }


def trail(entries: Iterable[AuditEntry]) -> Table:
    """The audit trail."""
    made = Table("no.", "at (UTC)", "by", "action", "what", "hash")
    for entry in entries:
        subject = plain(entry.subject)
        changes = [f"{item} {before} → {after}" for item, before, after in entry.details.get("changes", ())]
        for line_text in (_few(changes), entry.details.get("note")):
            if line_text:
                subject.append(f"\n{plain(str(line_text))}")
        made.add_row(str(entry.number), entry.at[:19], plain(entry.by), entry.action, subject, entry.hash[:12])
    return made


def audit_line(entry: AuditEntry) -> dict[str, Any]:
    """An entry in one line of JSON."""
    return {
        "number": entry.number,
        "at": entry.at,
        "by": entry.by,
        "action": entry.action,
        "subject": entry.subject,
        "details": dict(entry.details),
        "hash": entry.hash,
    }


def plain(text: str) -> Text:
    """A name that a person typed, without power over the terminal."""
    return Text("".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text))


def _differential(report: SampleReport) -> Table:
    made = Table(title=plain(f"Sample {report.sample_id or '(unnamed)'}"), title_justify="left")
    made.add_column(CELLS_CALLED[report.rules.mode])
    for heading in ("count", "share", "95 % interval", "corrected", "95 % interval"):
        made.add_column(heading, justify="right")
    corrected = report.differential_corrected
    shares = {} if corrected is None else {one.name: one for one in corrected.classes}
    for one in report.differential:
        other = shares.get(one.cell_class)
        made.add_row(
            plain(one.cell_class.replace("_", " ")),
            str(one.count),
            f"{one.share:.1%}",
            f"{one.low:.1%} - {one.high:.1%}",
            "" if other is None else f"{other.share:.1%}",
            "" if other is None else f"{other.low:.1%} - {other.high:.1%}",
            style=None if one.count else "dim",
        )
    made.add_section()
    made.add_row("counted", str(report.white_cells), style="bold")
    for name, count in report.beside.items():
        made.add_row(plain(f"beside: {name.replace('_', ' ')}"), str(count))
    return made


def _lines(report: SampleReport) -> Iterator[str]:
    if report.not_corrected_because is not None:
        yield f"not corrected: {report.not_corrected_because}"
    if report.differential_corrected is not None:
        yield f"corrected: {report.differential_corrected.method}"
    red, per_1000 = report.red_cells, report.wbc_per_1000_rbc
    size = "" if red.mean_diameter_um is None else f", mean diameter {red.mean_diameter_um:.1f} µm"
    ratio = "" if per_1000 is None else f" · {per_1000:.1f} {CELLS_CALLED[report.rules.mode]} per 1000 red cells"
    yield f"red cells {red.count}{size} · platelets {report.platelets}{ratio}"
    flaws = ", ".join(f"{flaw.replace('_', ' ')} {count}" for flaw, count in report.fields_rejected.items())
    yield f"fields {report.fields_counted} counted, {report.fields_rejected_total} refused" + (
        f" ({flaws})" if flaws else ""
    )
    for finding in report.findings:
        yield f"! {finding.text}"
    yield f"{report.rules.mode} by rules {report.rules.id} {report.rules.version}"
    yield provenance_line(report.provenance)
    looked_at = report.life.cells_looked_at
    seen = "" if looked_at is None else f", {looked_at} looked at"
    missed = f", {report.life.cells_added} of them missed by the device" if report.life.cells_added else ""
    checked = f", {report.life.cells_checked} cells checked{missed}{seen}" if report.life.steps else ""
    yield f"report {report.id} v{report.version}: {report.life.status}{checked}"
    yield f"v1 finished {report.finished_at:%Y-%m-%d %H:%M:%S} UTC"
    for step in report.life.steps:
        changed = _few([f"{one.item} {one.before} → {one.after}" for one in step.changes])
        without = ", ".join(one.replace("_", " ") for one in step.signed_without)
        passed = f"signed although: {without}" if without else ""
        line_text = "".join(f"; {one}" for one in (changed, step.note, passed) if one)
        yield f"v{step.version} {step.at:%Y-%m-%d %H:%M:%S} UTC {step.status} by {step.by}{line_text}"


def _few(changes: Sequence[str]) -> str:
    more = f" and {len(changes) - _MOST_CHANGES} more" if len(changes) > _MOST_CHANGES else ""
    return ", ".join(changes[:_MOST_CHANGES]) + more
