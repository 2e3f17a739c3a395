"""What may leave the outbox when it grows: never a report that was not acknowledged."""

import logging
import sqlite3
from datetime import datetime, timedelta

from leukoscope.messages.json_format import utc_text
from leukoscope.outbox import audit_trail

_BATCH = 50
_log = logging.getLogger(__name__)
_SENT_PICTURES = "kind = 'cell' AND state = 'sent'"
# A picture is worth less than the next report; it can be made again from the slide.
_PICTURES = "kind = 'cell'"
# What the receiver may have forgotten is not let go before it has been sent once more.
_SURE = "seq NOT IN (SELECT seq FROM doubt)"
_SENT_REPORTS = f"kind = 'report' AND state = 'sent' AND {_SURE}"
_OLDEST_FIRST = (_SENT_PICTURES, _PICTURES, _SENT_REPORTS)


def prune(sql: sqlite3.Connection, now: datetime, *, max_age: timedelta, max_sent: int) -> int:
    """As `Outbox.prune`, inside a transaction; how many reports were deleted is in the audit trail."""
    limit = utc_text(now - max_age)
    deleted = sql.execute(
        f"DELETE FROM message WHERE kind <> 'cell' AND state = 'sent' AND settled_at < ? AND {_SURE}", (limit,)
    ).rowcount
    deleted += sql.execute(
        "DELETE FROM message WHERE seq IN (SELECT seq FROM message WHERE kind <> 'cell' AND state = 'sent'"
        f" ORDER BY seq DESC LIMIT -1 OFFSET ?) AND {_SURE}",
        (max_sent,),
    ).rowcount
    _let_go(sql, now, deleted, "age or number")
    return deleted


def free_space(sql: sqlite3.Connection, now: datetime, max_bytes: int) -> bool:
    """As `Outbox.make_room`, inside a transaction."""
    reports = unsent = 0
    for which in _OLDEST_FIRST:
        while used_bytes(sql) > max_bytes:
            deleted = sql.execute(
                f"DELETE FROM message WHERE seq IN (SELECT seq FROM message WHERE {which} ORDER BY seq LIMIT ?)",
                (_BATCH,),
            ).rowcount
            if not deleted:
                break
            if which is _PICTURES:
                unsent += deleted
            elif which is _SENT_REPORTS:
                reports += deleted
                _delete_what_belongs_to_no_report(sql)
    if unsent:
        _log.warning("%d pictures of cells were deleted unsent to make room for reports", unsent)
    _let_go(sql, now, reports, "room")
    return used_bytes(sql) <= max_bytes


def used_bytes(sql: sqlite3.Connection) -> int:
    """Bytes of the file's pages that hold something."""
    pages, free, size = (
        sql.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _let_go(sql: sqlite3.Connection, now: datetime, reports: int, because: str) -> None:
    if reports:
        _delete_what_belongs_to_no_report(sql)
        details = {"messages": reports, "because": because}
        audit_trail.append(sql, at=now, by="leukoscope", action="pruned", subject="sent reports", details=details)


def _delete_what_belongs_to_no_report(sql: sqlite3.Connection) -> None:
    kept = "(SELECT id FROM message WHERE kind = 'report')"
    for table in ("cell", "verdict", "looked_at", "sample"):
        sql.execute(f"DELETE FROM {table} WHERE report NOT IN {kept}")
    # The id of a picture is the report's, a dash and the cell's number.
    sql.execute(f"DELETE FROM message WHERE kind = 'cell' AND substr(id, 1, 36) NOT IN {kept}")
    sql.execute("DELETE FROM doubt WHERE seq NOT IN (SELECT seq FROM message)")
    sql.execute("DELETE FROM grounds WHERE sha256 NOT IN (SELECT grounds FROM sample)")
