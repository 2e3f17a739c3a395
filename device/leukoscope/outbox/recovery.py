"""What is left of an outbox that is corrupt or gone: the reports that stand as files beside it are sent once more."""

import hashlib
import logging
import sqlite3
from datetime import datetime
from pathlib import Path

from leukoscope.errors import InvalidMessage
from leukoscope.messages.identity import Identity
from leukoscope.messages.json_format import from_bytes, utc_text
from leukoscope.messages.report import decode, envelope_of
from leukoscope.outbox import audit_trail, migrations
from leukoscope.outbox.counters import count_up
from leukoscope.outbox.entry import REPORT, Key
from leukoscope.outbox.report_copies import copies_of_reports
from leukoscope.outbox.report_files import key_named
from leukoscope.outbox.store import Outbox, put

MOST_RESTORED = 10_000
"""Reports that are sent again, those made last; of what is older the trail keeps the sum."""
GONE = "an outbox that was deleted"
BEGAN_ANEW = "began anew"
RESTORED = "restored"
"""What the audit trail calls a report that was taken from its file; it speaks of a trail that is lost."""
FOUND = "found"
"""What it calls a report that is older than those, and was left in its file."""

_log = logging.getLogger(__name__)


def lost_outbox(outbox: Outbox, folder: Path) -> str | None:
    """What has become of a predecessor whose reports were not restored yet; None where there is none.

    It is asked of the files, not of the start that found the damage: that one may have been cut short.

    Args:
        outbox: the one that is open now.
        folder: where each report was written as a file.

    Returns:
        What the corrupt file is called now; GONE where reports lie in the folder beside an outbox that never held one.
    """
    with outbox.reading() as sql:
        empty = sql.execute("SELECT NOT EXISTS (SELECT 1 FROM audit) AND NOT EXISTS (SELECT 1 FROM message)").fetchone()
    asides = [path for path in outbox.path.parent.glob(f"{outbox.path.name}.corrupt-*") if path.suffix[9:].isdecimal()]
    if not asides:
        return GONE if empty[0] and copies_of_reports(folder) else None
    last = max(asides, key=lambda path: int(path.suffix[9:]))
    with outbox.reading() as sql:
        known = {entry.details.get("lost") for entry in audit_trail.entries(sql) if entry.action == BEGAN_ANEW}
    return None if last.name in known else last.name


def restore(
    outbox: Outbox, folder: Path, now: datetime, *, lost: str, identity: Identity, most: int = MOST_RESTORED
) -> int:
    """Put the reports of a folder into a fresh outbox, since no record is left of which were sent.

    Readers keep one copy per id and version, so a second delivery does no harm. The white cells of these reports, and
    what was refused and why, are in the corrupt file alone. The numbers in the reports say which are the last,
    not by a clock that may have been wrong.

    Args:
        outbox: the fresh one.
        folder: where each report was written as a file.
        now: timezone-aware.
        lost: from `lost_outbox`, for the audit trail.
        identity: the device's; reports of another one are not its to send.
        most: how many are sent again.

    Returns:
        How many reports wait to be sent again.

    Raises:
        OutboxError: they cannot be written.
    """
    restored, highest = 0, 0
    with outbox.writing() as sql:
        details = {"lost": lost}
        audit_trail.append(sql, at=now, by="leukoscope", action=BEGAN_ANEW, subject="audit trail", details=details)
        reports = _reports(folder, identity)
        for place, (sequence, key, path) in enumerate(reports):
            try:
                payload = migrations.with_life(path.read_bytes())
            except OSError as error:
                _log.error("the report %s cannot be read: %s", path, error.strerror or error)
                continue
            highest = max(highest, sequence)
            action = FOUND if place < len(reports) - most else RESTORED
            if action == RESTORED and not put(sql, key, REPORT, payload, now):
                continue
            restored += action == RESTORED
            digests = {"sha256": hashlib.sha256(payload).hexdigest()}
            audit_trail.append(sql, at=now, by="leukoscope", action=action, subject=str(key), details=digests)
        count_up(sql, "sequence", at_least=highest + 1)
    _log.error("%d reports of %s are sent again, made before %s", restored, folder, utc_text(now))
    return restored


def was_restored(sql: sqlite3.Connection, report_id: str) -> bool:
    """Whether a version of a report was taken from its file: nothing shows that the file was not changed before."""
    row = sql.execute(
        "SELECT EXISTS (SELECT 1 FROM audit WHERE subject LIKE ? AND action IN (?, ?))",
        (f"report {report_id} v%", RESTORED, FOUND),
    ).fetchone()
    return bool(row[0])


def _reports(folder: Path, identity: Identity) -> list[tuple[int, Key, Path]]:
    """Number, key and file of each report that can be read, in the order in which they were made."""
    found = []
    for path in folder.glob("report-*.json"):
        key = key_named(path.name)
        if key is None:
            continue
        try:
            message = from_bytes(migrations.with_life(path.read_bytes()))
            report = decode(message)
        except (OSError, InvalidMessage) as error:
            _log.error("the report %s is not sent again: %s", path, error)
            continue
        if (report.id, report.version) != (key.id, key.version):
            _log.error("the report %s is not sent again: it holds report %s v%d", path, report.id, report.version)
            continue
        made = report.provenance
        if (made.site, made.device) != (identity.site, identity.device):
            _log.error("the report %s is not sent again: %s at %s made it", path, made.device, made.site)
            continue
        found.append((envelope_of(message)[1], key, path))
    return sorted(found, key=lambda one: (one[0], one[1].version, one[1].id))
