"""One copy of a report: whether it still is what the audit trail witnessed."""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from leukoscope.outbox.migrations import with_life
from leukoscope.outbox.report_files import key_named

Sums = Mapping[str, frozenset[str]]
"""By subject of the trail, the SHA-256 of every form in which that report was kept."""


def sums_witnessed(sql: sqlite3.Connection) -> Sums:
    """What the trail says of each report's bytes."""
    found: dict[str, set[str]] = {}
    for subject, details in sql.execute("SELECT subject, details FROM audit WHERE subject LIKE 'report %'"):
        values = json.loads(details)
        # A report that was brought up to date still stands in its old form in its file.
        found.setdefault(subject, set()).update(values[name] for name in ("sha256", "was") if name in values)
    return {subject: frozenset(sums) for subject, sums in found.items() if sums}


def fault_of_copy(path: Path, payload: bytes, sums: Sums) -> str | None:
    """Why a file is not the report that was recorded; None where it is.

    Args:
        path: the file; its name says whose copy it is.
        payload: what is in it.
        sums: from `sums_witnessed`.
    """
    key = key_named(path.name)
    known = sums.get(str(key), frozenset[str]())
    if known & {hashlib.sha256(form).hexdigest() for form in (payload, with_life(payload))}:
        return None
    if not known:
        return f"{path} was not recorded by this device, and is not used"
    return f"{path} is not the report that was recorded: its bytes were changed or damaged"
