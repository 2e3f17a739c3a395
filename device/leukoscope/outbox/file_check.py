"""Reports as files beside the outbox: whether they still are what the audit trail witnessed."""

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from leukoscope.outbox.migrations import with_life
from leukoscope.outbox.store import REPORT, Key

_FILE = re.compile(r"report-([0-9a-f-]{36})-v([0-9]+)\.json")

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


def faults_of_copies(folder: Path, sums: Sums) -> Iterator[str]:
    """Every file of a report that is not what was recorded, one line each."""
    for path in sorted(folder.glob("report-*.json")):
        try:
            fault = fault_of_copy(path, path.read_bytes(), sums)
        except OSError as error:
            fault = f"{path} cannot be read: {error.strerror}"
        if fault is not None:
            yield fault


def fault_of_copy(path: Path, payload: bytes, sums: Sums) -> str | None:
    """Why a file is not the report that was recorded; None where it is, or where the trail knows nothing of it.

    Args:
        path: the file; its name says whose copy it is.
        payload: what is in it.
        sums: from `sums_witnessed`.
    """
    name = _FILE.fullmatch(path.name)
    known = sums.get(str(Key(name[1], int(name[2]), REPORT))) if name is not None else None
    if known is None or known & {hashlib.sha256(form).hexdigest() for form in (payload, with_life(payload))}:
        return None
    return f"{path} is not the report that was recorded: its bytes were changed or damaged"
