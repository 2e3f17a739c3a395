"""The trail of what was said and who changed it: append-only, and each entry vouches for all before it."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leukoscope.messages.audit_head import BEFORE_ALL, NOTHING_YET, AuditHead
from leukoscope.messages.json_format import utc_text

LOCKS = (
    """CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    """CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    """CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
        WHEN NEW.number <= (SELECT max(number) FROM audit)
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
)
TABLES = (
    """CREATE TABLE audit (
        number INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        by TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        details TEXT NOT NULL,
        hash TEXT NOT NULL
    ) STRICT""",
    *LOCKS,
)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that was done."""

    number: int
    """Counts up from 1 without gaps."""
    at: str
    """ISO 8601, UTC, by the device's clock."""
    by: str
    """A person, or the device as site/device."""
    action: str
    """"recorded", "review", "finalise", "amend", "correct", "command", "pruned", "migrated"…"""
    subject: str
    """What it was done to, such as "report <id> v2"."""
    details: Mapping[str, Any]
    hash: str
    """SHA-256 over the predecessor's hash and this entry, hexadecimal."""


def append(
    sql: sqlite3.Connection, *, at: datetime, by: str, action: str, subject: str, details: Mapping[str, Any]
) -> None:
    """Add an entry, inside the transaction of what it witnesses: both are on the disk, or neither."""
    before = head(sql)
    entry = (before.entries + 1, utc_text(at), by, action, subject, canonical(details))
    sql.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", (*entry, _hash(before.hash, entry)))


def head(sql: sqlite3.Connection) -> AuditHead:
    """The last entry's number and hash."""
    found = sql.execute("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    return NOTHING_YET if found is None else AuditHead(*found)


def entries(sql: sqlite3.Connection) -> Iterator[AuditEntry]:
    """Every entry, oldest first."""
    for number, at, by, action, subject, details, digest in sql.execute("SELECT * FROM audit ORDER BY number"):
        yield AuditEntry(number, at, by, action, subject, json.loads(details), digest)


def faults_of_chain(sql: sqlite3.Connection) -> Iterator[str]:
    """What is wrong with the chain, one line each; a changed entry, a gap, a missing lock against changes."""
    previous, expected = BEFORE_ALL, 1
    for number, *entry, digest in sql.execute("SELECT * FROM audit ORDER BY number"):
        if number != expected:
            yield f"expected entry {expected}, found {number}: entries were taken out"
        elif _hash(previous, (number, *entry)) != digest:
            yield f"entry {number} ({entry[2]} {entry[3]}) is not what was written: it or its predecessor was changed"
        previous, expected = digest, number + 1
    locks = {text for (text,) in sql.execute("SELECT sql FROM sqlite_schema WHERE type = 'trigger'")}
    for lock in LOCKS:
        if lock not in locks:
            yield f"the lock {lock.split()[2]} was taken off the trail"


def hash_of_entry(sql: sqlite3.Connection, number: int) -> str | None:
    """The hash of an entry; None where there is no such entry."""
    if number == 0:
        return BEFORE_ALL
    found = sql.execute("SELECT hash FROM audit WHERE number = ?", (number,)).fetchone()
    return None if found is None else str(found[0])


def version_made_by(sql: sqlite3.Connection, command: str) -> int | None:
    """The last version of a report that a remote command led to; None where it led to none."""
    found = sql.execute(
        "SELECT subject FROM audit WHERE json_extract(details, '$.command') = ? AND subject LIKE 'report %'"
        " ORDER BY number DESC LIMIT 1",
        (command,),
    ).fetchone()
    return None if found is None else int(str(found[0]).rpartition(" v")[2])


def canonical(value: Any) -> str:
    """JSON of which there is one way only: sorted keys, no blanks, UTF-8 as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _hash(previous: str, entry: tuple[Any, ...]) -> str:
    return hashlib.sha256((previous + canonical(list(entry))).encode()).hexdigest()
