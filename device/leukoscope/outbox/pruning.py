"""What may leave the outbox when it grows: never a report that was not acknowledged, and none because of a clock."""

import logging
import sqlite3
from datetime import datetime

from leukoscope.outbox import audit_trail
from leukoscope.specimen.lifecycle import SIGNED

_BATCH = 50
_log = logging.getLogger(__name__)
_SENT_PICTURES = "kind = 'cell' AND state = 'sent'"
# A picture is worth less than the next report; it can be made again from the slide.
_PICTURES = "kind = 'cell'"
# What the receiver may have forgotten is not let go before it has been sent once more.
_SURE = "seq NOT IN (SELECT seq FROM doubt)"
# A report as a whole, by its newest version: the receiver has every version.
_DELIVERED = (
    "last.kind = 'report' AND last.version = (SELECT max(version) FROM message WHERE kind = 'report' AND id = last.id)"
    " AND NOT EXISTS (SELECT 1 FROM message WHERE kind = 'report' AND id = last.id"
    f" AND NOT (state = 'sent' AND {_SURE}))"
)
# A report that no person has signed can be reviewed for as long as it is here.
_STATUS = "json_extract(CAST(payload AS TEXT), '$.lifecycle.status')"
_SIGNED = (
    "last.version > 1 AND CASE WHEN json_valid(CAST(payload AS TEXT)) THEN"
    f" {_STATUS} IN ({', '.join(repr(status.value) for status in SIGNED)}) END"
)


def prune(sql: sqlite3.Connection, now: datetime, *, max_sent: int, keep_unsigned: bool) -> int:
    """As `Outbox.prune`, inside a transaction; how many were deleted is in the audit trail."""
    newest_to_go = sql.execute(
        "SELECT seq FROM message WHERE kind = 'report' AND state = 'sent' ORDER BY seq DESC LIMIT 1 OFFSET ?",
        (max_sent,),
    ).fetchone()
    deleted = 0
    if newest_to_go is not None:
        deleted = _delete_reports(sql, keep_unsigned, "AND last.seq <= ?", newest_to_go[0])
    _witness(sql, now, deleted, "number")
    return deleted


def free_space(sql: sqlite3.Connection, now: datetime, max_bytes: int, *, keep_unsigned: bool) -> bool:
    """As `Outbox.free_space`, inside a transaction."""
    reports = unsent = 0
    for which in (_SENT_PICTURES, _PICTURES):
        while used_bytes(sql) > max_bytes:
            deleted = sql.execute(
                f"DELETE FROM message WHERE seq IN (SELECT seq FROM message WHERE {which} ORDER BY seq LIMIT ?)",
                (_BATCH,),
            ).rowcount
            if not deleted:
                break
            unsent += deleted if which is _PICTURES else 0
    while used_bytes(sql) > max_bytes:
        deleted = _delete_reports(sql, keep_unsigned, "ORDER BY last.seq LIMIT ?", _BATCH)
        if not deleted:
            break
        reports += deleted
    if unsent:
        _log.warning("%d pictures of cells were deleted unsent to make room for reports", unsent)
    _witness(sql, now, reports, "room")
    return used_bytes(sql) <= max_bytes


def _delete_reports(sql: sqlite3.Connection, keep_unsigned: bool, which: str, value: int) -> int:
    """Delete reports that may go, with all that belongs to them; returns how many versions that were."""
    signed = f"AND {_SIGNED}" if keep_unsigned else ""
    deleted = sql.execute(
        "DELETE FROM message WHERE kind = 'report' AND id IN"
        f" (SELECT last.id FROM message AS last WHERE {_DELIVERED} {signed} {which})",
        (value,),
    ).rowcount
    if deleted:
        _delete_what_belongs_to_no_report(sql)
    return deleted


def used_bytes(sql: sqlite3.Connection) -> int:
    """Bytes of the file's pages that hold something."""
    pages, free, size = (
        sql.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _witness(sql: sqlite3.Connection, now: datetime, reports: int, because: str) -> None:
    if reports:
        details = {"messages": reports, "because": because}
        audit_trail.append(sql, at=now, by="leukoscope", action="pruned", subject="sent reports", details=details)


def _delete_what_belongs_to_no_report(sql: sqlite3.Connection) -> None:
    kept = "(SELECT id FROM message WHERE kind = 'report')"
    for table in ("cell", "missed", "verdict", "looked_at", "sample"):
        sql.execute(f"DELETE FROM {table} WHERE report NOT IN {kept}")
    # The id of a picture is the report's, a dash and the cell's number.
    sql.execute(f"DELETE FROM message WHERE kind = 'cell' AND substr(id, 1, 36) NOT IN {kept}")
    sql.execute("DELETE FROM doubt WHERE seq NOT IN (SELECT seq FROM message)")
    sql.execute("DELETE FROM grounds WHERE sha256 NOT IN (SELECT grounds FROM sample)")
