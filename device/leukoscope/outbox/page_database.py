"""Accounts, sessions and drafts of the review page in a file beside the outbox; the page makes its own tables there."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leukoscope.errors import OutboxError
from leukoscope.outbox.database_file import CACHE_KIB


class PageDatabase:
    """A file of its own beside the outbox, so that no key press waits for, or holds up, a count."""

    def __init__(self, file: Path) -> None:
        """Open or begin it.

        Raises:
            OutboxError: it cannot be opened.
        """
        self._file = file
        try:
            new = not file.exists()
            self._sql = sqlite3.connect(file, timeout=10, isolation_level=None)
            if new:
                file.chmod(0o600)
            self._sql.execute("PRAGMA journal_mode = WAL")
            self._sql.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            self._sql.execute("PRAGMA synchronous = FULL")
        except (OSError, sqlite3.Error) as error:
            raise OutboxError(f"{file} cannot be opened ({error})", "is its folder writable?") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction, on the disk when the block ends, or not at all; raises OutboxError."""
        try:
            self._sql.execute("BEGIN IMMEDIATE")
            yield
            self._sql.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failed(error) from error
        finally:
            if self._sql.in_transaction:
                self._sql.execute("ROLLBACK")

    def execute(self, statement: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows that a statement with `:named` values gives; raises OutboxError."""
        try:
            return self._sql.execute(statement, values or {}).fetchall()
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> OutboxError:
        return OutboxError(f"{self._file} cannot be read or written ({error})", "is the disk full or failing?")

    def close(self) -> None:
        """Let go of the file."""
        self._sql.close()
