"""The layouts an outbox file has had, and the way from each to the next."""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from leukoscope.messages.audit_head import BEFORE_ALL
from leukoscope.outbox import audit_trail

_FIRST = (
    """CREATE TABLE message (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL,
        version INTEGER NOT NULL,
        kind TEXT NOT NULL,
        topic TEXT NOT NULL,
        payload BLOB NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'refused')),
        created_at TEXT NOT NULL,
        settled_at TEXT,
        attempts INTEGER NOT NULL DEFAULT 0,
        note TEXT NOT NULL DEFAULT '',
        UNIQUE (id, version, kind)
    ) STRICT""",
    "CREATE INDEX next_to_send ON message (state, attempts, seq)",
    "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT",
)

_SECOND = (
    # Pictures of cells wait behind everything else.
    "ALTER TABLE message ADD COLUMN priority INTEGER NOT NULL DEFAULT 0",
    "DROP INDEX next_to_send",
    "CREATE INDEX next_to_send ON message (state, priority, attempts, seq)",
    *audit_trail.TABLES,
    "CREATE TABLE grounds (sha256 TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT",
    "CREATE TABLE sample (report TEXT PRIMARY KEY, grounds TEXT NOT NULL REFERENCES grounds (sha256)) STRICT",
    """CREATE TABLE cell (
        report TEXT NOT NULL,
        number INTEGER NOT NULL,
        field INTEGER NOT NULL,
        class TEXT NOT NULL,
        confidence REAL NOT NULL,
        xmin INTEGER NOT NULL, ymin INTEGER NOT NULL, xmax INTEGER NOT NULL, ymax INTEGER NOT NULL,
        PRIMARY KEY (report, number)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE verdict (
        report TEXT NOT NULL,
        number INTEGER NOT NULL,
        version INTEGER NOT NULL,
        class TEXT NOT NULL,
        PRIMARY KEY (report, number, version)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE command (
        id TEXT PRIMARY KEY,
        digest TEXT NOT NULL,
        forget_at TEXT NOT NULL,
        result BLOB
    ) STRICT""",
)


_FOURTH = (
    # Acknowledged, and perhaps forgotten by a broker that crashed; narrow, for a line that flaps fills it often.
    "CREATE TABLE doubt (seq INTEGER PRIMARY KEY) STRICT",
)

_FIFTH = (
    # White cells that a person has looked at, and the version in which that was said.
    """CREATE TABLE looked_at (
        report TEXT NOT NULL,
        number INTEGER NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (report, number)
    ) STRICT, WITHOUT ROWID""",
)


_SIXTH = (
    # Cells that people called so are looked for by that name.
    "CREATE INDEX verdict_by_class ON verdict (class)",
)

_SEVENTH = (
    # White cells that the device missed and a person added; what they are called stands among the verdicts.
    """CREATE TABLE missed (
        report TEXT NOT NULL,
        number INTEGER NOT NULL,
        version INTEGER NOT NULL,
        field INTEGER NOT NULL,
        xmin INTEGER NOT NULL, ymin INTEGER NOT NULL, xmax INTEGER NOT NULL, ymax INTEGER NOT NULL,
        PRIMARY KEY (report, number)
    ) STRICT, WITHOUT ROWID""",
)


_LATER_FIELDS = tuple(
    f'"{name}":'.encode()
    for name in ("historical", "trail", "resumed", "patches", "measured", "diameters_um", "mode", "lifecycle")
)
"""What `with_life` adds to a report that lacks it, as it stands in one that does not."""


def _first(sql: sqlite3.Connection) -> None:
    for statement in _FIRST:
        sql.execute(statement)


def _second(sql: sqlite3.Connection) -> None:
    """Life-cycle, audit trail, cells and commands; reports that were kept before get the fields they lack."""
    for statement in _SECOND:
        sql.execute(statement)
    _renew(sql, "SELECT seq, id, version, payload FROM message WHERE kind = 'report' ORDER BY seq")


def _renew(sql: sqlite3.Connection, reports: str, *values: bytes, witnessed: bool = False) -> None:
    """Give reports the fields they lack; the trail tells what each was and is.

    Args:
        sql: the outbox's.
        reports: selects seq, id, version and payload.
        values: of its parameters.
        witnessed: leave those alone whose bytes the trail does not know.
    """
    now = datetime.now(UTC)
    for seq, identifier, version, payload in sql.execute(reports, values).fetchall():
        renewed, was = with_life(payload), hashlib.sha256(payload).hexdigest()
        subject = f"report {identifier} v{version}"
        known = "SELECT EXISTS (SELECT 1 FROM audit WHERE subject = ? AND instr(details, ?))"
        if witnessed and not sql.execute(known, (subject, was)).fetchone()[0]:
            continue
        sql.execute("UPDATE message SET payload = ? WHERE seq = ?", (renewed, seq))
        details = {"sha256": hashlib.sha256(renewed).hexdigest(), "was": was}
        audit_trail.append(sql, at=now, by="leukoscope", action="migrated", subject=subject, details=details)


def with_life(payload: bytes) -> bytes:
    """The report with what later readers ask for and it lacks; bytes that are no report stay as they are."""
    try:
        message: dict[str, Any] = json.loads(payload)
        nothing_yet = {"historical": False, "trail": {"entries": 0, "hash": BEFORE_ALL}}
        message["envelope"] = nothing_yet | message["envelope"]
        message["sample"].setdefault("resumed", 0)
        message["fields"].setdefault("patches", None)
        message["red_cells"] = {"measured": None, "diameters_um": None} | message["red_cells"]
        message["rules"].setdefault("mode", "blood")
        message.setdefault("lifecycle", {"status": "preliminary", "cells_checked": 0, "steps": []})
    except (ValueError, KeyError, TypeError):
        return payload
    return json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _third(sql: sqlite3.Connection) -> None:
    """What a cell is suspected to be, and its probabilities, both as JSON; of older cells neither is known."""
    sql.execute("ALTER TABLE cell ADD COLUMN suspect TEXT NOT NULL DEFAULT '[]'")
    sql.execute("ALTER TABLE cell ADD COLUMN probabilities TEXT NOT NULL DEFAULT '{}'")


def _fourth(sql: sqlite3.Connection) -> None:
    for statement in _FOURTH:
        sql.execute(statement)


def _fifth(sql: sqlite3.Connection) -> None:
    for statement in _FIFTH:
        sql.execute(statement)


def _sixth(sql: sqlite3.Connection) -> None:
    for statement in _SIXTH:
        sql.execute(statement)


def _seventh(sql: sqlite3.Connection) -> None:
    for statement in _SEVENTH:
        sql.execute(statement)


def _eighth(sql: sqlite3.Connection) -> None:
    """Reports that were kept in the second layout before they had all their fields."""
    lacks = " OR ".join("instr(payload, ?) = 0" for _ in _LATER_FIELDS)
    reports = f"SELECT seq, id, version, payload FROM message WHERE kind = 'report' AND ({lacks}) ORDER BY seq"
    _renew(sql, reports, *_LATER_FIELDS, witnessed=True)


STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _first,
    _second,
    _third,
    _fourth,
    _fifth,
    _sixth,
    _seventh,
    _eighth,
)
"""Step n leads from layout n to layout n + 1; a new file walks all of them."""
LATEST = len(STEPS)
