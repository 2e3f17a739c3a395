"""How much of what one device sends is kept: enough for every honest one."""

from collections.abc import Sequence
from dataclasses import dataclass

from leukoscope_collector.beside import Execute
from leukoscope_collector.judging import Report, Suspect


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept beside the reports: the latest."""

    per_topic: int
    """Of what will not do."""
    in_all: int
    """Of what will not do, and of conflicts."""
    pictures: int
    answers: int
    versions: int
    """Of one report: the first; what comes later goes to quarantine."""
    conflicts: int
    """Of one device."""


def separate_excess(execute: Execute, reports: Sequence[Report], most: int) -> tuple[list[Report], list[Suspect]]:
    """The reports that may be stored, and as suspects those of which there are too many versions.

    Args:
        execute: inside a transaction.
        reports: each from the device that its id belongs to, in the order of arrival.
        most: versions of one report.
    """
    known = {
        name: {version for (version,) in execute("SELECT version FROM report_key WHERE id = :id", {"id": name})}
        for name in sorted({report.id for report in reports if report.version > 1})
    }
    kept, excess = list[Report](), list[Suspect]()
    for report in reports:
        versions = known.setdefault(report.id, set())
        if report.version not in versions and len(versions) >= most:
            reason = f"report {report.id} has {most} versions already, and no more are kept"
            excess.append(Suspect(report.topic, report.payload.encode(), reason))
        else:
            versions.add(report.version)
            kept.append(report)
    return kept, excess


def prune_conflicts(execute: Execute, limits: Limits) -> None:
    """Keep the latest conflicts of each device, and of all; that a report is contested stays with the report."""
    execute(
        "DELETE FROM conflict WHERE (id, version, sha256) IN (SELECT id, version, sha256 FROM (SELECT id, version,"
        " sha256, row_number() OVER (PARTITION BY site, device ORDER BY received_at DESC, version DESC, sha256)"
        " AS of_device, row_number() OVER (ORDER BY received_at DESC, version DESC, sha256) AS of_all FROM conflict)"
        " AS ranked WHERE of_device > :conflicts OR of_all > :in_all)",
        {"conflicts": limits.conflicts, "in_all": limits.in_all},
    )
