"""The outbox as a file: is it sound, which layout has it, and where a corrupt or an old one goes."""

import contextlib
import os
import sqlite3
from pathlib import Path

from leukoscope.errors import OutboxError
from leukoscope.outbox import migrations
from leukoscope.system.durable_files import put_in_place, sync_folder

_BUSY_S = 5.0
"""Seconds to wait for another process that writes."""
_SIDE_FILES = ("", "-wal", "-shm")


def damage_in(path: Path) -> str | None:
    """Why the file cannot be used, in SQLite's words; None for a sound or missing one.

    Raises:
        sqlite3.OperationalError: it could not be looked at, as when it is locked or not readable;
            that says nothing about its content.
    """
    if not path.exists():
        return None
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        # What is found may quote damaged text.
        connection.text_factory = lambda raw: raw.decode(errors="replace")
        # A quick check leaves out whether indices agree with their table: a message not found under its key would be
        # sent for ever. The whole check takes a third longer, 22 ms for 47 MB on a desk.
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()
        return None if found == ("ok",) else " ".join(str(found[0]).split())
    except sqlite3.OperationalError:
        raise
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        # The second where SQLite's own message quotes damaged text.
        return " ".join(str(error).split())
    finally:
        connection.close()


def quarantine(path: Path) -> Path:
    """Move the file and its write-ahead log to the first free `<name>.corrupt-<n>`; returns that path."""
    number = 1
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    for suffix in _SIDE_FILES:
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    sync_folder(path.parent)
    return aside


def settle_schema(connection: sqlite3.Connection, path: Path, *, owner: bool) -> None:
    """Create the tables in a new file, bring an older one up to date, accept a present one.

    An older file is first copied to `<name>.layout-<n>`, as it was.

    Raises:
        OutboxError: the file was written by a newer leukoscope, is some other program's database, or is an older one
            and we are not its owner.
    """
    try:
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'table'").fetchone()
        if not (0 < layout <= migrations.LATEST or (layout == 0 and tables == 0)):
            raise OutboxError(
                f"expected an outbox of layout {migrations.LATEST} at {path}, found layout {layout}: "
                "it belongs to another version of leukoscope or another program",
                "start the version that wrote it, or give another file",
            )
        if layout == migrations.LATEST:
            return
        if not owner and not layout:
            raise OutboxError(
                f"the outbox {path} holds nothing, as one that was emptied",
                "start the instrument once: it names the reports that it finds, and sends them again",
            )
        if not owner:
            raise OutboxError(
                f"the outbox {path} is of an older layout ({layout})", "start the instrument once, which renews it"
            )
        if layout:
            _copy(connection, path.with_name(f"{path.name}.layout-{layout}"))
        _bring_up(connection)
    except BaseException:
        connection.close()
        raise


def what_to_do(path: Path, error: Exception) -> str:
    """What helps against an error of SQLite, or of the disk under it."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "another program holds it: wait until it has ended"
    # SQLite reports a folder that takes no new file as a file that cannot be opened.
    if code == sqlite3.SQLITE_READONLY or not os.access(path.parent, os.W_OK):
        return (
            f"{path.parent} is read-only: make it writable for the user the device runs as; a disk that became "
            "read-only by itself is failing"
        )
    return "is the disk full or failing?"


def _bring_up(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been here while we waited for the lock.
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        for number, step in enumerate(migrations.STEPS[layout:], start=layout + 1):
            step(connection)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _copy(connection: sqlite3.Connection, aside: Path) -> None:
    """A copy of the whole database, on the disk before anything in it is touched; the first one stays."""
    if aside.exists():
        return
    unfinished = aside.with_name(f"{aside.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(unfinished)) as copy:
        connection.backup(copy)
    put_in_place(unfinished, aside)


CACHE_KIB = 512
"""Of one connection: pictures are read once, and the system keeps the file in memory as well."""


def file_at(path: Path) -> tuple[int, int] | None:
    """Device and inode of the file at a path; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, or make it, for transactions that are on the disk when they end (WAL, synchronous=FULL)."""
    new = not path.exists()
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    # One damaged letter in one message must not keep all others from being read and sent.
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    except sqlite3.Error:
        connection.close()
        raise
    if new:
        sync_folder(path.parent)
    return connection
