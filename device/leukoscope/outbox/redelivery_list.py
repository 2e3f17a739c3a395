"""The acknowledged messages that their receiver may have forgotten, as the table `doubt` lists them."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from leukoscope.messages.json_format import utc_text
from leukoscope.outbox.entry import Key


def add(sql: sqlite3.Connection, keys: Sequence[Key]) -> None:
    """List the acknowledged ones of these messages; inside a transaction of the caller's."""
    sql.executemany(
        "INSERT INTO doubt SELECT seq FROM message WHERE id = ? AND version = ? AND kind = ?"
        " AND state = 'sent' ON CONFLICT DO NOTHING",
        [(key.id, key.version, key.kind) for key in keys],
    )


def acknowledged_since(sql: sqlite3.Connection, moment: datetime) -> int:
    """How many messages were acknowledged at a moment or later."""
    (count,) = sql.execute(
        "SELECT count(*) FROM message WHERE state = 'sent' AND settled_at >= ?", (utc_text(moment),)
    ).fetchone()
    return int(count)


def add_since(sql: sqlite3.Connection, moment: datetime) -> None:
    """List what was acknowledged at a moment or later; inside a transaction of the caller's."""
    sql.execute(
        "INSERT INTO doubt SELECT seq FROM message WHERE state = 'sent' AND settled_at >= ? ON CONFLICT DO NOTHING",
        (utc_text(moment),),
    )


def remove(sql: sqlite3.Connection, keys: Sequence[Key]) -> None:
    """Take these messages off the list; inside a transaction of the caller's."""
    sql.executemany(
        "DELETE FROM doubt WHERE seq = (SELECT seq FROM message WHERE id = ? AND version = ? AND kind = ?)",
        [(key.id, key.version, key.kind) for key in keys],
    )


def keys(sql: sqlite3.Connection) -> tuple[Key, ...]:
    """The listed messages, pictures of cells last, else the oldest first."""
    rows = sql.execute(
        "SELECT id, version, kind FROM doubt JOIN message USING (seq) WHERE state = 'sent' ORDER BY priority, seq"
    ).fetchall()
    return tuple(Key(*row) for row in rows)
