"""Copies of reports in the folder `reports`: compared with the outbox, which is the truth, and put right from it."""

import hashlib
import logging
import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from leukoscope.outbox import audit_trail
from leukoscope.outbox.entry import REPORT, Key
from leukoscope.outbox.file_check import fault_of_copy, sums_witnessed
from leukoscope.outbox.report_files import ReportFiles, key_named
from leukoscope.outbox.store import Outbox
from leukoscope.sentence import Sentence, Verbatim

MOST_WRITTEN = 500
"""Missing copies that one start writes, the newest first: each costs a write through to the card."""
_NEWEST = 200
"""Versions whose copies a start reads; of older ones it compares names and sizes, which takes no time."""
_MOST_NAMED = 20
FOUND_CHANGED = "found changed"
"""What the audit trail calls a start that found files which the device did not write."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Differences:
    """In what the folder and the outbox do not agree."""

    missing: tuple[Key, ...] = ()
    """In the outbox, without a copy."""
    changed: Mapping[Key, str] = field(default_factory=dict)
    """Recorded, and their copies hold something else or cannot be read: the reason, in a line."""
    unrecorded: tuple[Path, ...] = ()
    """Called as reports are, and in no entry of the audit trail: this device did not record them."""

    def lines(self) -> Iterator[str]:
        """One line for each that is not what was recorded; a missing copy is no such thing."""
        yield from self.changed.values()
        yield from (f"{path} was not recorded by this device, and is not used" for path in self.unrecorded)

    def missing_in(self, folder: Path) -> str:
        """Which copies the next start writes, in a line; empty where there are all."""
        if not self.missing:
            return ""
        first, others = Verbatim(self.missing[0]), len(self.missing) - 1
        if not others:
            return Sentence(
                "{first} has no file in {folder}: the next start writes it from the outbox",
                first=first,
                folder=Verbatim(folder),
            )
        return Sentence(
            "{first} and {others} others have no file in {folder}: the next start writes it from the outbox",
            first=first,
            others=others,
            folder=Verbatim(folder),
        )

    @property
    def foreign(self) -> str:
        """What was not done by the device, for the display; empty where nothing was."""
        parts = (f"{len(self.changed)} changed", self.changed), (f"{len(self.unrecorded)} not its own", self.unrecorded)
        return ", ".join(words for words, found in parts if found)


def compare(sql: sqlite3.Connection, folder: Path, *, thorough: bool = True) -> Differences:
    """What does not agree; nothing is changed.

    Args:
        sql: the outbox's.
        folder: of the copies; one that is not there holds none.
        thorough: read every copy; else the newest only.

    Raises:
        OSError: the folder cannot be read.
    """
    found = _copies_in(folder)
    kept = {
        Key(identifier, version, REPORT): (size, place)
        for place, (identifier, version, size) in enumerate(
            sql.execute("SELECT id, version, length(payload) FROM message WHERE kind = ? ORDER BY seq DESC", (REPORT,))
        )
    }
    missing = tuple(key for key in kept if key not in found)
    pruned = frozenset[str]()
    if thorough or found.keys() - kept.keys():
        pruned = _recorded(sql) - {str(key) for key in kept}
    unrecorded = tuple(folder / name for key, (name, _) in found.items() if key not in kept and str(key) not in pruned)
    doubtful = {
        key: folder / name
        for key, (name, size) in found.items()
        if thorough or (key in kept and (kept[key][1] < _NEWEST or size != kept[key][0]))
    }
    sums = sums_witnessed(sql) if doubtful else {}
    changed = {}
    for key, path in doubtful.items():
        if key in kept or str(key) in pruned:
            try:
                # A pipe or a device would keep us waiting.
                fault = (
                    fault_of_copy(path, path.read_bytes(), sums)
                    if path.is_file() and not path.is_symlink()
                    else f"{path} is not the report that was recorded: it is no file"
                )
            except OSError as error:
                fault = f"{path} cannot be read: {error.strerror}"
            if fault is not None:
                changed[key] = fault
    return Differences(missing, changed, unrecorded)


def lines_on_missing(sql: sqlite3.Connection, folder: Path) -> Iterator[str]:
    """What is no fault, and worth knowing: reports without a file, a line each kind.

    Raises:
        OSError: the folder cannot be read.
    """
    if line := compare(sql, folder, thorough=False).missing_in(folder):
        yield line
    if left := without_any_copy(sql, folder):
        yield f"{left} versions of reports that were sent long ago have no file in {folder}: were they moved elsewhere?"


def without_any_copy(sql: sqlite3.Connection, folder: Path) -> int:
    """Recorded versions that left the outbox and have no file: a site may keep its old reports elsewhere.

    Raises:
        OSError: the folder cannot be read.
    """
    rows = sql.execute("SELECT id, version FROM message WHERE kind = ?", (REPORT,)).fetchall()
    here = {str(Key(identifier, version, REPORT)) for identifier, version in rows} | {
        str(key) for key in _copies_in(folder)
    }
    return len(_recorded(sql) - here)


def repair(outbox: Outbox, folder: Path, now: datetime) -> Differences:
    """Write copies that are missing or changed anew, from the outbox; what lay in their place is set aside.

    What the device did not record stays where it is; nothing uses it. Changed copies of reports that were pruned stay
    too: there is nothing to write them from.

    Returns:
        What was found.

    Raises:
        OSError: the folder cannot be read or written.
        OutboxError: the outbox cannot be read or written.
    """
    with outbox.reading() as sql:
        found = compare(sql, folder, thorough=False)
    files, written = ReportFiles(folder), 0
    for key in (*found.changed, *found.missing[:MOST_WRITTEN]):
        entry = outbox.get(key)
        if entry is not None:
            files.write(key, entry.payload)
            written += 1
    if written:
        _log.warning("%d files of reports in %s were missing or changed: written from the outbox", written, folder)
    for line in (*found.changed.values(), *map(str, found.unrecorded)):
        _log.error("not what was recorded: %s", line)
    if found.foreign:
        names = [str(key) for key in found.changed] + [path.name for path in found.unrecorded]
        details = {"found": found.foreign, "names": names[:_MOST_NAMED]}
        with outbox.writing() as sql:
            if not _said_last(sql, details):
                audit_trail.append(
                    sql, at=now, by="leukoscope", action=FOUND_CHANGED, subject="folder reports", details=details
                )
    return found


def recorded_payload(sql: sqlite3.Connection, folder: Path, key: Key) -> tuple[bytes | None, str]:
    """What was recorded under a key: from the outbox, or, once it was pruned, its copy.

    Returns:
        None, and why, where it is not there or is not what the audit trail witnessed; else what it holds and "".
    """
    sums = sums_witnessed(sql).get(str(key), frozenset())
    row = sql.execute(
        "SELECT payload FROM message WHERE id = ? AND version = ? AND kind = ?", (key.id, key.version, key.kind)
    ).fetchone()
    if row is not None:
        payload = bytes(row[0])
        right = hashlib.sha256(payload).hexdigest() in sums
        return (payload, "") if right else (None, f"{key} is not what was recorded: the outbox was changed")
    path = ReportFiles(folder).path_of(key)
    try:
        payload = path.read_bytes()
    except OSError as error:
        return None, f"{key} was sent and left the outbox, and its file {path} cannot be read ({error.strerror})"
    fault = fault_of_copy(path, payload, {str(key): sums})
    return (payload, "") if fault is None else (None, fault)


def recorded_versions(sql: sqlite3.Connection) -> dict[str, int]:
    """The newest version of each report that this device recorded, by id, whether or not it left the outbox."""
    newest: dict[str, int] = {}
    for subject in _recorded(sql):
        identifier, _, version = subject.removeprefix("report ").rpartition(" v")
        newest[identifier] = max(newest.get(identifier, 0), int(version))
    return newest


def _recorded(sql: sqlite3.Connection) -> frozenset[str]:
    rows = sql.execute(
        "SELECT DISTINCT subject FROM audit WHERE subject LIKE 'report %'"
        " AND CASE WHEN json_valid(details) THEN json_extract(details, '$.sha256') END IS NOT NULL"
    )
    return frozenset(str(subject) for (subject,) in rows)


def copies_of_reports(folder: Path) -> int:
    """How many files in a folder are called as reports are.

    Raises:
        OSError: the folder cannot be read.
    """
    return len(_copies_in(folder))


def _copies_in(folder: Path) -> dict[Key, tuple[str, int]]:
    """Name and size in bytes of each file that is called as a report is."""
    try:
        with os.scandir(folder) as entries:
            return {
                key: (entry.name, entry.stat(follow_symlinks=False).st_size)
                for entry in sorted(entries, key=lambda entry: entry.name)
                if (key := key_named(entry.name)) is not None
            }
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _said_last(sql: sqlite3.Connection, details: Mapping[str, object]) -> bool:
    """Whether the last such entry says the same: what stays for months is not witnessed at each start."""
    last = "SELECT details FROM audit WHERE action = ? ORDER BY number DESC LIMIT 1"
    row = sql.execute(last, (FOUND_CHANGED,)).fetchone()
    return row is not None and row[0] == audit_trail.canonical(details)
