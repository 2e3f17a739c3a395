"""Reports in PostgreSQL: for a fleet, and for collectors on several machines."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from leukoscope.errors import SettingsError
from leukoscope.schema import FrozenModel, text_of
from leukoscope_collector import partitions
from leukoscope_collector.bounds import Limits
from leukoscope_collector.judging import Report
from leukoscope_collector.origins import Origin
from leukoscope_collector.postgres_tables import LAYOUTS, REPORT_KEYS
from leukoscope_collector.report_store import Key, Store, StoreRefuses, StoreUnavailable
from leukoscope_collector.tables import SCHEMA_VERSION, statements

_LOCK = 0x6C65756B
"""Any number that no other program locks: two collectors that start together make the tables one after the other."""
# Payloads go in binary: to escape every quotation mark of a JSON text takes twenty times as long as all the rest.
_SENT = (
    "unnest(%(ids)s::uuid[], %(versions)s::bigint[], %(sites)s::text[], %(devices)s::text[], %(statuses)s::text[],"
    " %(sha256s)s::text[], %(payloads)b::text[]) AS one (id, version, site, device, status, sha256, payload)"
)
_COLUMNS = "id, version, site, device, status, received_at, sha256, payload"
_INSERT = (
    f"INSERT INTO report ({_COLUMNS})"  # noqa: S608
    f" SELECT id, version, site, device, status, %(at)s, sha256, payload::json FROM {_SENT}"
    " ON CONFLICT DO NOTHING RETURNING id::text, version"
)
_INSERT_BY_KEY = (
    f"WITH sent AS (SELECT * FROM {_SENT}), new AS (INSERT INTO report_key (id, version, sha256, received_at)"  # noqa: S608
    " SELECT id, version, sha256, %(at)s FROM sent ON CONFLICT DO NOTHING RETURNING id, version)"
    f" INSERT INTO report ({_COLUMNS}) SELECT id, version, site, device, status, %(at)s, sha256, payload::json"
    " FROM sent JOIN new USING (id, version) RETURNING id::text, version"
)
"""A partitioned table cannot keep (id, version) unique over all months; the narrow table beside it does."""
_NAMED = re.compile(r":(\w+)")


class PostgresSettings(FrozenModel):
    """A PostgreSQL database, your own or a managed one."""

    driver: Literal["postgresql"]
    conninfo: str
    """libpq's words for it, as `host=db.example dbname=leukoscope user=collector sslmode=verify-full`; no password."""
    password_file: Path | None = None
    """A file that holds the password and nothing else. None: PGPASSWORD, PGPASSFILE, or none needed."""
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
    timeout_s: Annotated[int, Field(ge=2, le=300)] = 10
    """Seconds to wait for a connection, and for one statement, 2-300."""

    def refuse_password(self) -> None:
        """A password in `conninfo` would stand in log lines, and in every complaint about this table.

        Raises:
            SettingsError: there is one; the text does not show it.
        """
        if re.search(r"password\s*=|://[^/@]*:[^/@]*@", self.conninfo):
            raise SettingsError("store.conninfo holds a password", "put it into a file and name that in password_file")

    @property
    def where(self) -> str:
        """What log lines call it."""
        return self.conninfo

    def open(self) -> "PostgresStore":
        """The store, with its tables.

        Raises:
            StoreUnavailable: it cannot be reached or refuses us.
            SettingsError: the tables were made by a newer collector, or the password cannot be read.
        """
        return PostgresStore(self)

    def password(self) -> str | None:
        """What the file holds now.

        Raises:
            SettingsError: it cannot be read.
        """
        if self.password_file is None:
            return os.environ.get("PGPASSWORD")
        try:
            return text_of(self.password_file.read_bytes()).rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"the password file {self.password_file} cannot be read: {error}",
                "check the path, its owner and the disk",
            ) from error


class PostgresStore(Store):
    """One connection; each batch is one transaction at the server's own durability."""

    def __init__(self, settings: PostgresSettings) -> None:
        import psycopg

        self._pg = psycopg
        self.limits = Limits(
            settings.quarantine_per_topic,
            settings.quarantine,
            settings.pictures,
            settings.answers,
            settings.versions,
            settings.conflicts,
        )
        try:
            self._sql = psycopg.connect(
                settings.conninfo,
                password=settings.password(),
                autocommit=True,
                connect_timeout=settings.timeout_s,
                # A server that vanishes without a word would else be waited for a quarter of an hour.
                tcp_user_timeout=settings.timeout_s * 1000,
                keepalives_idle=settings.timeout_s,
                options=f"-c statement_timeout={settings.timeout_s}s",
                application_name="leukoscope-collector",
            )
        except psycopg.Error as error:
            raise StoreUnavailable(
                f"the database cannot be reached: {_one_line(error)}",
                "does it run, and do address, user and password fit?",
            ) from error
        self._unreplicated = False
        self._sql.add_notice_handler(self._on_notice)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _on_notice(self, notice: Any) -> None:
        # A wait for the synchronous standby that is cancelled is no error to PostgreSQL: it has committed, and warns.
        if notice.severity_nonlocalized == "WARNING" and notice.sqlstate == "01000":
            self._unreplicated = True

    def _prepare(self) -> None:
        with self.transaction():
            self.execute("SELECT pg_advisory_xact_lock(:lock)", {"lock": _LOCK})
            ((there,),) = self.execute("SELECT to_regclass('collector_tables') IS NOT NULL")
            version = self.execute("SELECT max(version) FROM collector_tables")[0][0] if there else 0
            # Binding what a large store holds takes longer than a statement of every day may.
            self.execute("SET LOCAL statement_timeout = 0")
            keyed = self.execute("SELECT 1 FROM pg_class WHERE oid = to_regclass('report_key') AND relkind <> 'v'")
            for layout in LAYOUTS[version:]:
                # Where reports are partitioned the keys are a table, which stays.
                for statement in () if layout is REPORT_KEYS and keyed else statements(layout):
                    self.execute(statement)
            if not there:
                partitions.switch(self.execute, datetime.now(UTC))
            if version < SCHEMA_VERSION:
                self.execute("INSERT INTO collector_tables VALUES (:version)", {"version": SCHEMA_VERSION})
        if version > SCHEMA_VERSION:
            raise SettingsError(f"the database was made by a newer collector (tables {version})", "update this one")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """As in `Store`."""
        with self._in_our_words(), self._sql.transaction():
            yield
        if self._unreplicated:
            raise StoreUnavailable(
                "the database's standby does not confirm: what is stored could be lost with one node",
                "bring the standby back",
            )

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except (self._pg.DataError, self._pg.IntegrityError) as error:
            raise StoreRefuses(
                f"the database does not take it: {_one_line(error)}",
                "the message is set aside in the store, look at it there",
            ) from error
        except self._pg.Error as error:
            raise StoreUnavailable(
                f"the database cannot be read or written: {_one_line(error)}",
                "does it run, and is its disk full or failing?",
            ) from error

    def execute(self, statement: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """As in `Store`."""
        words = _NAMED.sub(r"%(\1)s", statement) if values else statement
        with self._in_our_words():
            done = self._sql.execute(words.encode(), values)
            return done.fetchall() if done.description else []

    def bind_origins(self, claims: Mapping[str, Origin], at: datetime) -> dict[str, Origin]:
        """As in `Origins`."""
        names = list(claims)
        self._sql.execute(
            "INSERT INTO report_origin (id, site, device, bound_at) SELECT id, site, device, %s FROM unnest("
            "%s::uuid[], %s::text[], %s::text[]) AS one (id, site, device) ON CONFLICT DO NOTHING",
            (at, names, [claims[name].site for name in names], [claims[name].device for name in names]),
        )
        # A statement of its own: it sees what another collector has committed meanwhile.
        rows = self._sql.execute(
            "SELECT id::text, site, device FROM report_origin WHERE id = ANY(%s::uuid[])", (names,)
        ).fetchall()
        return {name: Origin(site, device) for name, site, device in rows}

    def insert_reports(self, reports: Sequence[Report], at: datetime) -> set[Key]:
        """As in `Store`."""
        if not reports:
            return set()
        partitioned = partitions.prepare(self.execute, at)
        rows = self._sql.execute(
            (_INSERT_BY_KEY if partitioned else _INSERT).encode(),
            {
                "at": at,
                "ids": [one.id for one in reports],
                "versions": [one.version for one in reports],
                "sites": [one.site for one in reports],
                "devices": [one.device for one in reports],
                "statuses": [one.status for one in reports],
                "sha256s": [one.sha256 for one in reports],
                "payloads": [one.payload for one in reports],
            },
        ).fetchall()
        if len(rows) < len(reports):
            # What is there already may have been committed here and not yet on the standby: a transaction that writes
            # nothing would not wait for it. This writes a few bytes into the log.
            self.execute("SELECT pg_logical_emit_message(true, 'leukoscope', '')")
        return {(row[0], row[1]) for row in rows}

    def build_index(self, name: str, on: str) -> None:
        """Make an index beside the traffic, anew where an earlier attempt was interrupted; outside a transaction.

        Args:
            name: of the index.
            on: table and columns.

        Raises:
            StoreUnavailable: the database went away.
        """
        try:
            self._sql.execute("SET statement_timeout = 0")
            valid = self._sql.execute(
                "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND indisvalid", (name,)
            ).fetchone()
            if not valid:
                self._sql.execute(f"DROP INDEX IF EXISTS {name}".encode())
                self._sql.execute(f"CREATE INDEX CONCURRENTLY {name} ON {on}".encode())
        except self._pg.Error as error:
            raise StoreUnavailable(
                f"the index {name} cannot be built: {_one_line(error)}", "is its disk full, or was it stopped?"
            ) from error

    def close(self) -> None:
        """As in `Store`."""
        self._sql.close()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
