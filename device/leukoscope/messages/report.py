"""A sample report as a message: schema leukoscope/report/1, and back again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from leukoscope.errors import InvalidMessage
from leukoscope.messages.audit_head import NOTHING_YET, AuditHead
from leukoscope.messages.json_format import from_bytes, to_bytes, utc_text, utc_time, validate
from leukoscope.messages.report_differential import class_count_part, corrected_part, read_class_count, read_corrected
from leukoscope.messages.report_lifecycle import life_part, read_life
from leukoscope.messages.report_provenance import provenance_part, read_provenance
from leukoscope.specimen.sample import (
    Basis,
    Certainty,
    Finding,
    Histogram,
    RedCells,
    RulesIdentity,
    SampleReport,
)

REPORT_SCHEMA = "leukoscope/report/1"

__all__ = [
    "REPORT_SCHEMA",
    "decode",
    "decode_kept",
    "encode",
    "envelope_of",
    "signature_of",
    "to_bytes",
    "trail_of",
    "validate",
]


def encode(
    report: SampleReport,
    *,
    boot_id: str,
    sequence: int,
    sent_clock: datetime,
    clock_synchronised: bool | None = None,
    trail: AuditHead = NOTHING_YET,
    checked: bool = False,
) -> dict[str, Any]:
    """The report as a JSON-ready message that has been checked against its schema.

    Args:
        report: what is said about the sample; its id and version identify the message for good.
        boot_id: the boot during which the message was made.
        sequence: the outbox's counter, 1 or more; with the boot id it orders messages even when
            the clock jumped.
        sent_clock: what the device's clock said when the message was made; timezone-aware.
        clock_synchronised: whether that clock could be trusted; None where the operating system cannot tell.
        trail: how far the device's audit trail had come before this message.
        checked: this report was checked before, so that only what stands around it is new.

    Raises:
        InvalidMessage: the report holds NaN, a time without a zone, or breaks the schema.
    """
    message = {
        "schema": REPORT_SCHEMA,
        "id": report.id,
        "version": report.version,
        "envelope": {
            "boot_id": boot_id,
            "sequence": sequence,
            "sent_clock": utc_text(sent_clock),
            "clock_synchronised": clock_synchronised,
            "historical": False,
            "trail": {"entries": trail.entries, "hash": trail.hash},
        },
        "lifecycle": life_part(report.life),
        "sample": {
            "sample_id": report.sample_id,
            "started_at": utc_text(report.started_at),
            "finished_at": utc_text(report.finished_at),
            "finished_because": report.finished_because,
            "resumed": report.resumed,
            "border_rule": report.border_rule,
            "area_um2": report.area_um2,
        },
        "fields": {
            "counted": report.fields_counted,
            "rejected": report.fields_rejected_total,
            "rejected_by_flaw": dict(report.fields_rejected),
            "patches": report.patches,
        },
        "white_cells": {
            "counted": report.white_cells,
            "differential": [class_count_part(line) for line in report.differential],
            "differential_corrected": corrected_part(report.differential_corrected),
            "not_corrected_because": report.not_corrected_because,
            "beside": dict(report.beside),
            **({} if report.suspects is None else {"suspects": report.suspects}),
            "per_1000_red_cells": report.wbc_per_1000_rbc,
        },
        "red_cells": {
            "counted": report.red_cells.count,
            "mean_diameter_um": report.red_cells.mean_diameter_um,
            "diameter_cv": report.red_cells.diameter_cv,
            "irregular_share": report.red_cells.irregular_share,
            "measured": report.red_cells.measured,
            "diameters_um": _histogram(report.red_cells.diameters_um),
        },
        "platelets": {"counted": report.platelets},
        "findings": [_finding(finding) for finding in report.findings],
        "rules": _rules(report.rules),
        "provenance": provenance_part(report.provenance),
    }
    # A NaN passes every range of a JSON schema, so the bytes are tried before the schema is.
    to_bytes(message)
    if not checked:
        validate(message, REPORT_SCHEMA)
    return message


def decode(message: Mapping[str, Any] | bytes) -> SampleReport:
    """The report inside a message, exactly as it was encoded.

    Raises:
        InvalidMessage: the message is not a valid leukoscope/report/1.
    """
    if isinstance(message, bytes):
        message = from_bytes(message)
    validate(message, REPORT_SCHEMA)
    return _read(message)


def decode_kept(message: Mapping[str, Any] | bytes) -> SampleReport:
    """The report inside a message that was checked when it was kept, without the schema, whose reader takes memory.

    Raises:
        InvalidMessage: it was damaged since.
    """
    if isinstance(message, bytes):
        message = from_bytes(message)
    try:
        return _read(message)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidMessage(
            f"a kept report cannot be read: {type(error).__name__} {error}", "`leukoscope doctor` looks at the outbox"
        ) from error


def _read(message: Mapping[str, Any]) -> SampleReport:
    sample, fields = message["sample"], message["fields"]
    white, red = message["white_cells"], message["red_cells"]
    return SampleReport(
        id=message["id"],
        version=int(message["version"]),
        sample_id=sample["sample_id"],
        started_at=utc_time(sample["started_at"]),
        finished_at=utc_time(sample["finished_at"]),
        fields_counted=int(fields["counted"]),
        fields_rejected=_counts(fields["rejected_by_flaw"]),
        fields_rejected_total=int(fields["rejected"]),
        patches=None if fields["patches"] is None else int(fields["patches"]),
        white_cells=int(white["counted"]),
        differential=tuple(read_class_count(line) for line in white["differential"]),
        differential_corrected=read_corrected(white["differential_corrected"]),
        not_corrected_because=white["not_corrected_because"],
        beside=_counts(white["beside"]),
        red_cells=RedCells(
            count=int(red["counted"]),
            mean_diameter_um=_float(red["mean_diameter_um"]),
            diameter_cv=_float(red["diameter_cv"]),
            irregular_share=_float(red["irregular_share"]),
            measured=None if red["measured"] is None else int(red["measured"]),
            diameters_um=_read_histogram(red["diameters_um"]),
        ),
        platelets=int(message["platelets"]["counted"]),
        wbc_per_1000_rbc=_float(white["per_1000_red_cells"]),
        area_um2=float(sample["area_um2"]),
        border_rule=sample["border_rule"],
        findings=tuple(_read_finding(finding) for finding in message["findings"]),
        rules=RulesIdentity(**message["rules"]),
        finished_because=sample["finished_because"],
        provenance=read_provenance(message["provenance"]),
        life=read_life(message["lifecycle"]),
        resumed=int(sample["resumed"]),
        suspects=None if white.get("suspects") is None else int(white["suspects"]),
    )


def envelope_of(message: Mapping[str, Any]) -> tuple[str, int]:
    """(boot_id, sequence) of a valid report message: its place among the device's messages."""
    envelope = message["envelope"]
    return envelope["boot_id"], int(envelope["sequence"])


def trail_of(message: Mapping[str, Any]) -> AuditHead:
    """How far the audit trail had come before a report message, valid or not.

    Raises:
        InvalidMessage: it does not say so.
    """
    try:
        trail = message["envelope"]["trail"]
        return AuditHead(trail["entries"], trail["hash"])
    except (KeyError, TypeError) as error:
        raise InvalidMessage(
            "expected envelope.trail with entries and hash, found none", "send it as the published schema says"
        ) from error


def signature_of(message: Mapping[str, Any]) -> tuple[str | None, str | None, datetime | None]:
    """(status, who took the last step, when) of a valid report message, in its own words; None where it says none."""
    life = message.get("lifecycle")
    if life is None:
        return None, None, None
    last = life["steps"][-1] if life["steps"] else None
    return str(life["status"]), *((None, None) if last is None else (str(last["by"]), utc_time(last["at"])))


def _histogram(histogram: Histogram | None) -> dict[str, Any] | None:
    if histogram is None:
        return None
    return {"start": histogram.start, "step": histogram.step, "counts": list(histogram.counts)}


def _read_histogram(wire: Mapping[str, Any] | None) -> Histogram | None:
    if wire is None:
        return None
    return Histogram(float(wire["start"]), float(wire["step"]), tuple(int(count) for count in wire["counts"]))


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "text": finding.text,
        "certainty": finding.certainty.value,
        "basis": finding.basis.value,
        "numbers": dict(finding.numbers),
    }


def _read_finding(wire: Mapping[str, Any]) -> Finding:
    numbers = {name: float(number) for name, number in wire["numbers"].items()}
    return Finding(wire["code"], wire["text"], Certainty(wire["certainty"]), Basis(wire["basis"]), numbers)


def _rules(rules: RulesIdentity) -> dict[str, str]:
    return {"id": rules.id, "version": rules.version, "sha256": rules.sha256, "mode": rules.mode}


def _counts(wire: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(count) for name, count in wire.items()}


def _float(number: float | None) -> float | None:
    """To JSON 7 and 7.0 are one number; the report holds floats here and whole numbers elsewhere."""
    return None if number is None else float(number)
