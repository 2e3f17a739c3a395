"""What is in a store, for a person: at a terminal, and pictures as files."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from leukoscope.errors import ExportError
from leukoscope.messages.critical import ABOUT, critical_codes
from leukoscope_collector.judging import webp_in
from leukoscope_collector.report_store import Store

_LATEST = 10
_MOST_FOUND = 200
_FIRST_ID, _LAST_ID = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def reports(store: Store, search: str = "", *, critical: bool = False) -> Table:
    """The latest reports in force: specimen, counts and findings.

    Args:
        store: where they are.
        search: only those whose specimen or id holds this, in large or small letters.
        critical: only those with a finding that the laboratory should telephone about.
    """
    pattern = "".join(f"!{sign}" if sign in "!%_" else sign for sign in search.lower())
    with store.transaction():
        found = store.execute(
            "SELECT id, version, site, device, status, received_at, payload FROM report_in_force"
            " WHERE (lower(payload->'sample'->>'sample_id') LIKE :pattern ESCAPE '!'"
            " OR CAST(id AS text) LIKE :pattern ESCAPE '!')"
            " AND (:every OR CAST(payload->'findings' AS text) LIKE :code)"
            " ORDER BY received_at DESC LIMIT :most",
            {
                "pattern": f"%{pattern}%",
                "every": not critical,
                "code": f'%"code"%"{ABOUT}%',
                "most": _MOST_FOUND if search or critical else _LATEST,
            },
        )
    rows = []
    for identifier, version, site, device, status, received_at, payload in found:
        message = payload if isinstance(payload, dict) else json.loads(payload)
        if critical and not critical_codes(message):
            continue
        white = message["white_cells"]
        shares = "  ".join(f"{line['class']} {line['count']}" for line in white["differential"] if line["count"])
        findings = "\n".join(finding["text"] for finding in message["findings"])
        name = message["sample"]["sample_id"]
        counts = f"{white['counted']} white: {shares}"
        rows.append((name, counts, findings, status, f"{site}/{device}", received_at, f"{identifier} v{version}"))
    columns = ["specimen", "counts", "findings", "status", "device", "received", "id"]
    return _table("Critical reports in force" if critical else "Reports in force", columns, rows)


def picture(store: Store) -> Group:
    """The latest reports, the devices, answers to commands, and what was quarantined why."""
    in_force = reports(store)
    with store.transaction():
        ((count, contested),) = store.execute("SELECT count(*), count(CASE WHEN contested THEN 1 END) FROM report")
        latest = store.execute(
            "SELECT id, version, site, device, status, received_at, (SELECT count(*) FROM cell WHERE"
            " cell.site = report.site AND cell.device = report.device AND cell.report = report.id"
            " AND cell.version = report.version) FROM report ORDER BY received_at DESC LIMIT :most",
            {"most": _LATEST},
        )
        answers = store.execute(
            "SELECT site, device, command, name, outcome, received_at, seen FROM result ORDER BY number DESC"
            " LIMIT :most",
            {"most": _LATEST},
        )
        mismatches = store.execute(
            "SELECT origin_mismatch.id, report_origin.site, report_origin.device, origin_mismatch.site,"
            " origin_mismatch.device, received_at, seen FROM origin_mismatch JOIN report_origin"
            " ON report_origin.id = origin_mismatch.id ORDER BY received_at DESC LIMIT :most",
            {"most": _LATEST},
        )
        devices = store.execute("SELECT site, device, state, status_at FROM device ORDER BY site, device")
        rubbish = store.execute(
            "SELECT topic, reason, sum(seen) FROM quarantine GROUP BY topic, reason ORDER BY 3 DESC LIMIT :most",
            {"most": _LATEST},
        )
    return Group(
        in_force,
        _table(
            f"Latest of {count} reports",
            ["id", "version", "site", "device", "status", "received", "pictures"],
            latest,
        ),
        Text(f"{contested} of them came with other content under the same id and version: table conflict."),
        _table("Devices", ["site", "device", "state", "since"], devices),
        _table("Latest answers to commands", ["site", "device", "id", "name", "outcome", "received", "times"], answers),
        _table(
            "Report ids that another device sent under",
            ["id", "belongs to site", "device", "sent by site", "device", "last", "times"],
            mismatches,
        ),
        _table("Quarantined most often", ["topic", "reason", "times"], rubbish),
    )


def write_pictures(store: Store, report: str, folder: Path) -> int:
    """Write the pictures of a report's white cells as WebP files, named after number and class; returns how many.

    Only those that came from the device whose report it is.

    Args:
        store: where they are.
        report: the report's id, or the beginning of it.
        folder: made when missing.

    Raises:
        ExportError: there are none, or the folder cannot be written.
    """
    first, last = (report + padding[len(report) :] for padding in (_FIRST_ID, _LAST_ID))
    if not _ID.fullmatch(first):
        raise ExportError(f"expected a report's id or the beginning of it, found {report!r}", "--show lists the latest")
    with store.transaction():
        found = store.execute(
            "SELECT cell.report, cell.cell, cell.class, cell.payload FROM cell JOIN report ON report.id = cell.report"
            " AND report.version = cell.version AND report.site = cell.site AND report.device = cell.device"
            " WHERE report.id BETWEEN :first AND :last ORDER BY cell.report, cell.cell",
            {"first": first, "last": last},
        )
    if len({str(identifier) for identifier, *_ in found}) != 1:
        how_many = "pictures of several reports" if found else "no pictures of a report"
        raise ExportError(f"there are {how_many} that begins with {report!r}", "--show lists the latest reports")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for _, number, cell_class, payload in found:
            message = payload if isinstance(payload, dict) else json.loads(payload)
            (folder / f"cell-{number:05d}-{_plain(cell_class)}.webp").write_bytes(webp_in(message))
    except OSError as error:
        raise ExportError(
            f"pictures cannot be written to {folder} ({error.strerror})", "choose another folder"
        ) from error
    return len(found)


def _plain(name: str) -> str:
    """A class as part of a file's name, whatever a device called it."""
    return "".join(sign if sign.isalnum() and sign.isascii() else "_" for sign in name)[:40]


def _table(title: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # What came over the network is text, not markup.
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    return table
