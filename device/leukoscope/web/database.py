"""The tables of the page: accounts, sessions, drafts and the worklist, in SQL that SQLite and PostgreSQL understand."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

TABLES = (
    """CREATE TABLE IF NOT EXISTS web_account (
        name TEXT PRIMARY KEY, role TEXT NOT NULL, secret TEXT NOT NULL, badge TEXT NOT NULL,
        active INTEGER NOT NULL, created_at TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS web_session (
        digest TEXT PRIMARY KEY, name TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT NOT NULL,
        client TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS web_attempt (
        name TEXT PRIMARY KEY, failures INTEGER NOT NULL, blocked_until TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS web_draft (
        report TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, content TEXT NOT NULL,
        updated_at TEXT NOT NULL, PRIMARY KEY (report, name))""",
    """CREATE TABLE IF NOT EXISTS web_presence (
        report TEXT NOT NULL, name TEXT NOT NULL, seen_at TEXT NOT NULL, PRIMARY KEY (report, name))""",
    """CREATE TABLE IF NOT EXISTS web_worklist (
        id TEXT PRIMARY KEY, version INTEGER NOT NULL, site TEXT NOT NULL, device TEXT NOT NULL,
        sample_id TEXT NOT NULL, status TEXT NOT NULL, finished_at TEXT NOT NULL, white_cells INTEGER NOT NULL,
        blasts INTEGER NOT NULL, suspects INTEGER NOT NULL, unsure INTEGER NOT NULL, critical INTEGER NOT NULL,
        rank INTEGER NOT NULL, source TEXT NOT NULL, words TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS web_worklist_order ON web_worklist (rank, finished_at DESC, words)",
    "CREATE TABLE IF NOT EXISTS web_cursor (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS web_command (
        id TEXT PRIMARY KEY, site TEXT NOT NULL, device TEXT NOT NULL, report TEXT NOT NULL, name TEXT NOT NULL,
        payload TEXT NOT NULL, made_at TEXT NOT NULL, sent_at TEXT NOT NULL, outcome TEXT NOT NULL,
        text TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS web_command_of_report ON web_command (report, made_at)",
    "CREATE INDEX IF NOT EXISTS web_command_waiting ON web_command (made_at) WHERE outcome = ''",
)


class Database(Protocol):
    """One connection, used by one thread.

    What it raises where it cannot be reached, read or written is a LeukoscopeError that is an OSError as well.
    """

    def transaction(self) -> AbstractContextManager[None]:
        """One transaction, on the disk when the block ends, or not at all."""

    def execute(self, statement: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows that a statement with `:named` values gives."""

    def close(self) -> None:
        """Let go of it."""


class _Watched:
    """A connection that says when it has failed."""

    def __init__(self, database: Database, round_of: int, failed: Callable[[int], None]) -> None:
        self.round_of, self.busy = round_of, False
        self._database, self._failed = database, failed

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """As in `Database`."""
        try:
            with self._database.transaction():
                self.busy = True
                yield
        except OSError:
            self._failed(self.round_of)
            raise
        finally:
            self.busy = False

    def execute(self, statement: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """As in `Database`."""
        try:
            return self._database.execute(statement, values)
        except OSError:
            self._failed(self.round_of)
            raise

    def close(self) -> None:
        """As in `Database`."""
        self._database.close()


class Databases:
    """A connection for each thread that asks, opened when it first does, and anew after one of them has failed."""

    def __init__(self, open_one: Callable[[], Database]) -> None:
        self._open = open_one
        self._mine = threading.local()
        self._round = 0
        one = self.get()
        with one.transaction():
            for statement in TABLES:
                one.execute(statement)

    def get(self) -> Database:
        """This thread's connection."""
        found: _Watched | None = getattr(self._mine, "database", None)
        if found is not None and not found.busy and found.round_of != self._round:
            # A server that restarts ends the connections of all threads: each fails at most once, and mostly one alone.
            self.close()
            found = None
        if found is None:
            # Read before it is opened: what fails meanwhile concerns it, too.
            round_of = self._round
            found = self._mine.database = _Watched(self._open(), round_of, self._forget)
        return found

    def close(self) -> None:
        """Let go of this thread's connection; the next `get` opens another."""
        found: _Watched | None = getattr(self._mine, "database", None)
        if found is not None:
            self._mine.database = None
            found.close()

    def _forget(self, round_of: int) -> None:
        """Every connection of that round is given up by its thread, which opens another."""
        self._round = max(self._round, round_of + 1)
