"""Reports in one SQLite file: for a clinic, on one machine."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from leukoscope.errors import SettingsError
from leukoscope.messages.json_format import utc_text
from leukoscope.schema import FrozenModel
from leukoscope_collector.bounds import Limits
from leukoscope_collector.judging import Report
from leukoscope_collector.origins import Origin
from leukoscope_collector.report_store import Key, Store, StoreRefuses, StoreUnavailable
from leukoscope_collector.tables import BY_RECEIPT, IN_FORCE, KEYS, SCHEMA_VERSION, bind_stored, statements

_BUSY_S = 10.0
_FIRST = """
CREATE TABLE IF NOT EXISTS report (
    id TEXT NOT NULL, version INTEGER NOT NULL, site TEXT NOT NULL, device TEXT NOT NULL, status TEXT,
    received_at TEXT NOT NULL, sha256 TEXT NOT NULL, contested INTEGER NOT NULL DEFAULT FALSE, payload TEXT NOT NULL,
    PRIMARY KEY (id, version)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS report_by_device ON report (site, device, received_at);
CREATE TABLE IF NOT EXISTS conflict (
    id TEXT NOT NULL, version INTEGER NOT NULL, sha256 TEXT NOT NULL, site TEXT NOT NULL, device TEXT NOT NULL,
    received_at TEXT NOT NULL, seen INTEGER NOT NULL DEFAULT 1, payload TEXT NOT NULL,
    PRIMARY KEY (id, version, sha256));
CREATE TABLE IF NOT EXISTS quarantine (
    number INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, sha256 TEXT NOT NULL, reason TEXT NOT NULL,
    bytes INTEGER NOT NULL, received_at TEXT NOT NULL, seen INTEGER NOT NULL DEFAULT 1, payload BLOB NOT NULL,
    UNIQUE (topic, sha256));
CREATE TABLE IF NOT EXISTS device (
    site TEXT NOT NULL, device TEXT NOT NULL, state TEXT, session INTEGER, status TEXT, status_at TEXT,
    health TEXT, health_at TEXT, PRIMARY KEY (site, device));
"""
_SECOND = """
CREATE TABLE IF NOT EXISTS cell (
    number INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL, device TEXT NOT NULL, report TEXT NOT NULL,
    version INTEGER NOT NULL, cell INTEGER NOT NULL, class TEXT NOT NULL, received_at TEXT NOT NULL,
    sha256 TEXT NOT NULL, payload TEXT NOT NULL, UNIQUE (site, device, report, version, cell));
CREATE TABLE IF NOT EXISTS result (
    number INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL, device TEXT NOT NULL, command TEXT, name TEXT,
    outcome TEXT NOT NULL, received_at TEXT NOT NULL, seen INTEGER NOT NULL DEFAULT 1, sha256 TEXT NOT NULL,
    payload TEXT NOT NULL, UNIQUE (site, device, sha256));
"""
_THIRD = f"""
CREATE TABLE IF NOT EXISTS report_origin (
    id TEXT PRIMARY KEY, site TEXT NOT NULL, device TEXT NOT NULL, bound_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS origin_mismatch (
    id TEXT NOT NULL, site TEXT NOT NULL, device TEXT NOT NULL, seen INTEGER NOT NULL DEFAULT 1,
    received_at TEXT NOT NULL, PRIMARY KEY (id, site, device)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS origin_mismatch_by_time ON origin_mismatch (received_at);
{bind_stored("CAST(payload AS BLOB)").replace("octet_length", "length")}
{IN_FORCE.format(if_missing="IF NOT EXISTS")}
"""
_LAYOUTS = (_FIRST, _SECOND, _THIRD, KEYS.format(if_missing="IF NOT EXISTS"), BY_RECEIPT)
"""What each layout adds to the one before."""


class SqliteSettings(FrozenModel):
    """One file; several collectors of one machine may share it."""

    driver: Literal["sqlite"] = "sqlite"
    file: Path = Path("out/collector/reports.sqlite3")
    """Made where it is missing; `-wal` and `-shm` files live beside it. Not on a network share."""
    quarantine_per_topic: Annotated[int, Field(ge=1)] = 200
    """Messages that will not do, kept per topic: the latest."""
    quarantine: Annotated[int, Field(ge=1)] = 10_000
    """The same, of all topics."""
    pictures: Annotated[int, Field(ge=0)] = 100_000
    """Pictures of white cells that are kept: the latest, 5 to 11 kB each."""
    answers: Annotated[int, Field(ge=0)] = 10_000
    """Answers to commands that are kept: the latest."""
    versions: Annotated[int, Field(ge=1)] = 1000
    """Versions of one report that are kept: the first; a reviewed report has ten or twenty."""
    conflicts: Annotated[int, Field(ge=1)] = 200
    """Other contents under a stored id and version that are kept, per device: the latest; of all as `quarantine`."""

    @property
    def where(self) -> str:
        """What log lines call it."""
        return str(self.file)

    def open(self) -> "SqliteStore":
        """The store, with its tables.

        Raises:
            StoreUnavailable: the file cannot be opened or written.
            SettingsError: it was made by a newer collector.
        """
        limits = Limits(
            self.quarantine_per_topic, self.quarantine, self.pictures, self.answers, self.versions, self.conflicts
        )
        return SqliteStore(self.file, limits)


class SqliteStore(Store):
    """A store in WAL mode, written through to the disk at each commit."""

    def __init__(self, file: Path, limits: Limits) -> None:
        self.limits = limits
        self._file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._sql = sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StoreUnavailable(
                f"the store {file} cannot be opened: {error}", "check the path, its owner and the disk"
            ) from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self.close()
            raise StoreUnavailable(
                f"the store {file} cannot be prepared: {error}", "check the path, its owner and the disk"
            ) from error
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        self._sql.execute("PRAGMA journal_mode = WAL")
        self._sql.execute("PRAGMA synchronous = FULL")
        # Looked up under the lock: another collector may be doing the same.
        self._sql.execute("BEGIN IMMEDIATE")
        try:
            (version,) = self._sql.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise SettingsError(f"{self._file} was made by a newer collector (tables {version})", "update this one")
            for layout in _LAYOUTS[version:]:
                for statement in statements(layout):
                    self._sql.execute(statement)
            self._sql.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self._sql.execute("COMMIT")
        finally:
            if self._sql.in_transaction:
                self._sql.execute("ROLLBACK")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """As in `Store`."""
        try:
            with self._in_our_words():
                self._sql.execute("BEGIN IMMEDIATE")
                yield
                self._sql.execute("COMMIT")
        finally:
            if self._sql.in_transaction:
                self._sql.execute("ROLLBACK")

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.InterfaceError) as error:
            raise StoreRefuses(
                f"{self._file} does not take it: {error}", "the message is set aside in the store, look at it there"
            ) from error
        except sqlite3.Error as error:
            raise StoreUnavailable(
                f"the store {self._file} cannot be read or written: {error}",
                "does it run, and is its disk full or failing?",
            ) from error

    def execute(self, statement: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """As in `Store`."""
        native = {name: _native(value) for name, value in (values or {}).items()}
        with self._in_our_words():
            return self._sql.execute(statement, native).fetchall()

    def bind_origins(self, claims: Mapping[str, Origin], at: datetime) -> dict[str, Origin]:
        """As in `Origins`."""
        bound_at = utc_text(at)
        self._sql.executemany(
            "INSERT INTO report_origin (id, site, device, bound_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(name, claim.site, claim.device, bound_at) for name, claim in claims.items()],
        )
        find = "SELECT site, device FROM report_origin WHERE id = ?"
        return {name: Origin(*self._sql.execute(find, (name,)).fetchone()) for name in claims}

    def insert_reports(self, reports: Sequence[Report], at: datetime) -> set[Key]:
        """As in `Store`."""
        received_at = utc_text(at)
        return {
            (one.id, one.version)
            for one in reports
            if self._sql.execute(
                "INSERT INTO report (id, version, site, device, status, received_at, sha256, payload)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (one.id, one.version, one.site, one.device, one.status, received_at, one.sha256, one.payload),
            ).rowcount
        }

    def close(self) -> None:
        """As in `Store`."""
        self._sql.close()


def _native(value: Any) -> Any:
    return utc_text(value) if isinstance(value, datetime) else value
