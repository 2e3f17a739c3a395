"""Numbers that the outbox never gives twice."""

import sqlite3
from datetime import datetime


def take_session(sql: sqlite3.Connection, now: datetime, above: int) -> int:
    """As `Outbox.next_session`, inside a transaction of the caller's."""
    return count_up(sql, "session", at_least=max(above + 1, int(now.timestamp())))


def take_sequence(sql: sqlite3.Connection) -> int:
    """As `Outbox.next_sequence`, inside a transaction of the caller's."""
    return count_up(sql, "sequence", at_least=1)


def count_up(sql: sqlite3.Connection, name: str, *, at_least: int) -> int:
    """The next value of a counter, inside a transaction of the caller's: one more than the last, or `at_least`."""
    (value,) = sql.execute(
        "INSERT INTO counter (name, value) VALUES (:name, :at_least)"
        " ON CONFLICT (name) DO UPDATE SET value = max(value + 1, :at_least) RETURNING value",
        {"name": name, "at_least": at_least},
    ).fetchone()
    return int(value)
