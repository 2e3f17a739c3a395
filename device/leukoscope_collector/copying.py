"""Copies a SQLite store into PostgreSQL, in small transactions: stopped halfway, it goes on when run again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leukoscope_collector import partitions
from leukoscope_collector.postgres_store import PostgresStore
from leukoscope_collector.report_store import StoreRefuses
from leukoscope_collector.sqlite_store import SqliteStore

BATCH = 200
"""Rows in one transaction."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Table:
    """A table that both stores have, and what makes a row of it the same."""

    name: str
    columns: tuple[str, ...]
    order: str


_TABLES = (
    # Whose a report is comes before the report.
    _Table("report_origin", ("id", "site", "device", "bound_at"), "id"),
    _Table(
        "report",
        ("id", "version", "site", "device", "status", "received_at", "sha256", "contested", "payload"),
        "id, version",
    ),
    _Table(
        "conflict",
        ("id", "version", "sha256", "site", "device", "received_at", "seen", "payload"),
        "id, version, sha256",
    ),
    _Table("origin_mismatch", ("id", "site", "device", "seen", "received_at"), "id, site, device"),
    _Table("quarantine", ("topic", "sha256", "reason", "bytes", "received_at", "seen", "payload"), "number"),
    _Table(
        "device",
        ("site", "device", "state", "session", "status", "status_at", "health", "health_at"),
        "site, device",
    ),
    _Table(
        "cell",
        ("site", "device", "report", "version", "cell", "class", "received_at", "sha256", "payload"),
        "number",
    ),
    _Table(
        "result",
        ("site", "device", "command", "name", "outcome", "received_at", "seen", "sha256", "payload"),
        "number",
    ),
)


@dataclass(slots=True)
class Copied:
    """What became of the rows of one table."""

    table: str
    copied: int = 0
    there: int = 0
    """In the database already."""
    left_out: list[str] = field(default_factory=list)
    """Rows that the database does not take, and why."""


def copy(source: SqliteStore, target: PostgresStore, say: Callable[[str], object]) -> bool:
    """Copy every table of the collector; what the database holds already stays as it is.

    The tables of the review page (accounts, drafts) are not copied.

    Args:
        source: no collector should write to it meanwhile; what it writes later a second run copies.
        target: collectors may use it meanwhile.
        say: gets what became of each table.

    Returns:
        True when nothing was left out.

    Raises:
        StoreUnavailable: one of both went away; what was copied until then stays.
    """
    complete = True
    for table in _TABLES:
        done = Copied(table.name)
        for rows in _batches(source, table):
            _store(target, table, rows, done)
        say(f"{table.name}: {done.copied} copied, {done.there} there already, {len(done.left_out)} left out")
        for reason in done.left_out:
            say(f"  {reason}")
        complete = complete and not done.left_out
    return complete


def _batches(source: SqliteStore, table: _Table) -> Iterator[list[Row]]:
    columns = ", ".join(table.columns)
    start = 0
    while True:
        found = source.execute(
            f"SELECT {columns} FROM {table.name} ORDER BY {table.order} LIMIT :batch OFFSET :start",  # noqa: S608
            {"batch": BATCH, "start": start},
        )
        if not found:
            return
        yield [dict(zip(table.columns, row, strict=True)) for row in found]
        start += len(found)


def _store(target: PostgresStore, table: _Table, rows: list[Row], done: Copied) -> None:
    """A batch as a whole; where the database refuses it, row by row."""
    try:
        with target.transaction():
            partitioned = table.name == "report" and _prepare(target, rows)
            outcomes = [_insert(target, table, row, partitioned=partitioned) for row in rows]
    except StoreRefuses:
        outcomes = [_alone(target, table, row) for row in rows]
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome == "copied":
            done.copied += 1
        elif outcome == "there":
            done.there += 1
        else:
            done.left_out.append(f"{_called(table, row)}: {outcome}")


def _alone(target: PostgresStore, table: _Table, row: Row) -> str:
    try:
        with target.transaction():
            partitioned = table.name == "report" and _prepare(target, [row])
            return _insert(target, table, row, partitioned=partitioned)
    except StoreRefuses as error:
        return error.happened


def _called(table: _Table, row: Row) -> str:
    return " ".join(str(row[name]) for name in table.columns[:2])


def _prepare(target: PostgresStore, rows: list[Row]) -> bool:
    """Whether reports are partitioned; where they are, the months of these are there afterwards."""
    months = {row["received_at"][:7]: datetime.fromisoformat(row["received_at"]) for row in rows}
    return {partitions.prepare(target.execute, at) for at in months.values()} == {True}


def _insert(target: PostgresStore, table: _Table, row: Row, *, partitioned: bool) -> str:
    """What became of the row: "copied", "there", or why not."""
    if table.name == "report":
        return _insert_report(target, row, partitioned=partitioned)
    new = target.execute(_statement(table.name, table.columns), row)
    return "copied" if new else _why_there(target, table, row)


def _why_there(target: PostgresStore, table: _Table, row: Row) -> str:
    if table.name != "report_origin":
        return "there"
    ((site, device),) = target.execute("SELECT site, device FROM report_origin WHERE id = :id", {"id": row["id"]})
    ours = site == row["site"] and device == row["device"]
    return "there" if ours else f"the id belongs to {site}/{device} in the database"


def _insert_report(target: PostgresStore, row: Row, *, partitioned: bool) -> str:
    values = row | {"contested": bool(row["contested"])}
    owner = target.execute("SELECT site, device FROM report_origin WHERE id = :id", {"id": row["id"]})
    if owner and owner[0] != (row["site"], row["device"]):
        return f"the id belongs to {owner[0][0]}/{owner[0][1]} in the database"
    columns = tuple(values)
    if partitioned:
        # A partitioned table cannot keep (id, version) unique over all months; the narrow table beside it does.
        key = _statement("report_key", ("id", "version", "sha256", "received_at"))
        new = target.execute(key, {name: values[name] for name in ("id", "version", "sha256", "received_at")})
        if new:
            target.execute(_statement("report", columns), values)
    else:
        new = target.execute(_statement("report", columns), values)
    if new:
        return "copied"
    ((sha256,),) = target.execute(
        "SELECT sha256 FROM report_key WHERE id = :id AND version = :version",
        {"id": row["id"], "version": row["version"]},
    )
    return "there" if sha256 == row["sha256"] else "the database holds another content under this id and version"


def _statement(table: str, columns: tuple[str, ...]) -> str:
    named = ", ".join(f":{name}" for name in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({named}) ON CONFLICT DO NOTHING RETURNING 1"  # noqa: S608
