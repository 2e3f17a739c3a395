"""Whether the audit trail is whole, and whether the reports are still what it witnessed."""

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from leukoscope.errors import InvalidMessage
from leukoscope.messages.json_format import from_bytes
from leukoscope.messages.report import trail_of
from leukoscope.outbox import audit_trail
from leukoscope.outbox.entry import REPORT, Key
from leukoscope.outbox.recovery import RESTORED
from leukoscope.outbox.report_copies import compare


def faults(sql: sqlite3.Connection, copies: Path | None = None) -> Iterator[str]:
    """Everything that does not agree, one line each; nothing when trail and reports are whole.

    Args:
        sql: the outbox's.
        copies: the folder in which each report lies as a file; None: there is none.
    """
    yield from audit_trail.faults_of_chain(sql)
    witnessed = {entry.subject: entry for entry in audit_trail.entries(sql) if "sha256" in entry.details}
    rows = sql.execute("SELECT id, version, payload FROM message WHERE kind = ? ORDER BY seq", (REPORT,))
    for identifier, version, payload in rows:
        name = str(Key(identifier, version, REPORT))
        if name not in witnessed:
            yield f"{name} is in no entry of the trail: it was not put there by leukoscope, or its entry was cut off"
            continue
        if witnessed[name].details["sha256"] != hashlib.sha256(payload).hexdigest():
            yield f"{name} is not what was recorded: its bytes were changed"
        if witnessed[name].action != RESTORED:
            yield from _faults_of_anchor(sql, name, payload)
    if copies is not None:
        try:
            yield from compare(sql, copies).lines()
        except OSError as error:
            yield f"the files of reports in {copies} cannot be compared ({error.strerror})"


def _faults_of_anchor(sql: sqlite3.Connection, name: str, payload: bytes) -> Iterator[str]:
    """What a report says about the trail before it must still be true."""
    try:
        trail = trail_of(from_bytes(payload))
    except InvalidMessage:
        yield f"{name} is no readable report"
        return
    if audit_trail.hash_of_entry(sql, trail.entries) != trail.hash:
        yield f"{name} was made when entry {trail.entries} of the trail was another one: the trail was rewritten"
