"""Whose report an id names: the device that sent its first version, for good."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from leukoscope_collector.judging import Report, Suspect

MOST_MISMATCHES = 10_000
"""Rows that `origin_mismatch` keeps: the latest."""


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """The device that a report comes from."""

    site: str
    device: str


class Origins(Protocol):
    """What a store offers for it, inside a transaction."""

    def bind_origins(self, claims: Mapping[str, Origin], at: datetime) -> dict[str, Origin]:
        """Bind each report id that is not bound yet, and return what each is bound to.

        Args:
            claims: by report id, the device that sent it first of this batch.
            at: now; timezone-aware.
        """

    def execute(self, statement: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows that a statement with `:named` values gives."""


def separate(store: Origins, reports: Sequence[Report], at: datetime) -> tuple[list[Report], list[Suspect]]:
    """The reports whose id is their sender's own, and the others as suspects.

    Without this a device that learns the id of another's report could publish a higher version of it,
    which readers would take for the one in force.

    Args:
        store: inside a transaction.
        reports: judged fit, in the order of arrival.
        at: now; timezone-aware.
    """
    claims: dict[str, Origin] = {}
    for report in reports:
        claims.setdefault(report.id, Origin(report.site, report.device))
    # Two collectors that lock the same rows in one order never wait for each other in a circle.
    bound = store.bind_origins(dict(sorted(claims.items())), at) if claims else {}
    own, foreign = list[Report](), list[Report]()
    for report in reports:
        (own if bound[report.id] == Origin(report.site, report.device) else foreign).append(report)
    for report in sorted(foreign, key=lambda report: (report.id, report.site, report.device)):
        _note_mismatch(store, report, at)
    if foreign:
        store.execute(
            "DELETE FROM origin_mismatch WHERE received_at < (SELECT received_at FROM origin_mismatch"
            " ORDER BY received_at DESC LIMIT 1 OFFSET :most)",
            {"most": MOST_MISMATCHES - 1},
        )
    return own, [_suspect(report, bound[report.id]) for report in foreign]


def _note_mismatch(store: Origins, report: Report, at: datetime) -> None:
    store.execute(
        "INSERT INTO origin_mismatch (id, site, device, received_at) VALUES (:id, :site, :device, :at)"
        " ON CONFLICT (id, site, device) DO UPDATE SET seen = origin_mismatch.seen + 1,"
        " received_at = excluded.received_at",
        {"id": report.id, "site": report.site, "device": report.device, "at": at},
    )


def _suspect(report: Report, owner: Origin) -> Suspect:
    reason = (
        f"report {report.id} belongs to {owner.site}/{owner.device}, which sent its first version;"
        f" version {report.version} came from {report.site}/{report.device}"
    )
    return Suspect(report.topic, report.payload.encode(), reason)
