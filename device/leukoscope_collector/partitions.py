"""Reports in PostgreSQL by the month in which they came; a table of keys beside them keeps each unique."""

from datetime import UTC, datetime

from leukoscope_collector.beside import Execute
from leukoscope_collector.tables import IN_FORCE, statements

_LOCK = 0x6C65756C
"""Batches hold it shared, the switch alone: none begins in one layout and ends in the other."""
BATCH = 5000
"""Keys copied in one transaction."""

COPY = """
CREATE TABLE report_key_copy (
    id uuid NOT NULL, version bigint NOT NULL, sha256 text NOT NULL, received_at timestamptz NOT NULL,
    PRIMARY KEY (id, version));
CREATE TABLE report_key_progress (id uuid, version bigint);
INSERT INTO report_key_progress VALUES (NULL, NULL);
CREATE FUNCTION report_key_follow() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO report_key_copy VALUES (NEW.id, NEW.version, NEW.sha256, NEW.received_at)
    ON CONFLICT DO NOTHING; RETURN NULL; END';
CREATE TRIGGER report_key_follow AFTER INSERT ON report FOR EACH ROW EXECUTE FUNCTION report_key_follow();
"""
NEXT_KEYS = """
WITH part AS (
    SELECT report.id, report.version, report.sha256, report.received_at FROM report, report_key_progress AS done
    WHERE done.id IS NULL OR (report.id, report.version) > (done.id, done.version)
    ORDER BY report.id, report.version LIMIT :batch),
copied AS (INSERT INTO report_key_copy SELECT * FROM part ON CONFLICT DO NOTHING)
UPDATE report_key_progress SET (id, version) = (SELECT id, version FROM part ORDER BY id DESC, version DESC LIMIT 1)
    WHERE EXISTS (SELECT 1 FROM part) RETURNING id
"""
FROM_COPY = """
DROP TRIGGER report_key_follow ON report;
DROP FUNCTION report_key_follow();
DROP TABLE report_key_progress;
ALTER TABLE report_key_copy RENAME TO report_key;
ALTER INDEX report_key_copy_pkey RENAME TO report_key_pkey;
"""
_EMPTY = """
CREATE TABLE report_key (
    id uuid NOT NULL, version bigint NOT NULL, sha256 text NOT NULL, received_at timestamptz NOT NULL,
    PRIMARY KEY (id, version));
CREATE INDEX report_before_by_id ON report (id, version);
"""
_SWITCH = """
ALTER TABLE report RENAME TO report_before;
ALTER INDEX report_by_device RENAME TO report_before_by_device;
ALTER INDEX report_by_receipt RENAME TO report_before_by_receipt;
ALTER INDEX report_pkey RENAME TO report_before_pkey;
CREATE TABLE report (
    id uuid NOT NULL, version bigint NOT NULL, site text NOT NULL, device text NOT NULL, status text,
    received_at timestamptz NOT NULL, sha256 text NOT NULL, contested boolean NOT NULL DEFAULT false,
    payload json NOT NULL) PARTITION BY RANGE (received_at);
CREATE INDEX report_by_id ON report (id, version);
CREATE INDEX report_by_device ON report (site, device, received_at);
CREATE INDEX report_by_receipt ON report (received_at, id, version);
CREATE TABLE report_month (partition text PRIMARY KEY, from_at timestamptz, to_at timestamptz NOT NULL);
"""


def switch(execute: Execute, now: datetime, keys: str = _EMPTY) -> None:
    """Make the table of reports a partition of one that is partitioned; inside a transaction.

    Args:
        execute: of the store.
        now: what came until the end of its month stays in the old table; timezone-aware.
        keys: makes the table of keys; the default is for a store without reports.
    """
    execute("SELECT pg_advisory_xact_lock(:lock)", {"lock": _LOCK})
    _, end = month_of(now)
    execute("DROP VIEW report_in_force")
    execute("DROP VIEW report_key")
    for statement in statements(keys) + statements(_SWITCH):
        execute(statement)
    execute(f"ALTER TABLE report ATTACH PARTITION report_before FOR VALUES FROM (MINVALUE) TO ('{end.isoformat()}')")
    execute("INSERT INTO report_month VALUES ('report_before', NULL, :end)", {"end": end})
    for statement in statements(IN_FORCE.format(if_missing="")):
        execute(statement)


def prepare(execute: Execute, at: datetime) -> bool:
    """Whether reports are partitioned; where they are, the month is there afterwards. Inside a transaction.

    Args:
        execute: of the store.
        at: when the reports came; timezone-aware.
    """
    execute("SELECT pg_advisory_xact_lock_shared(:lock)", {"lock": _LOCK})
    if not execute("SELECT 1 FROM pg_class WHERE oid = to_regclass('report') AND relkind = 'p'"):
        return False
    there = "SELECT 1 FROM report_month WHERE to_at > :at AND (from_at IS NULL OR from_at <= :at)"
    if not execute(there, {"at": at}):
        begin, end = month_of(at)
        name = f"report_{begin:%Y_%m}"
        new = "INSERT INTO report_month VALUES (:name, :begin, :end) ON CONFLICT DO NOTHING RETURNING partition"
        # Of two collectors at the turn of a month the second waits here until the first has made the table.
        if execute(new, {"name": name, "begin": begin, "end": end}):
            execute(
                f"CREATE TABLE {name} PARTITION OF report"
                f" FOR VALUES FROM ('{begin.isoformat()}') TO ('{end.isoformat()}')"
            )
    return True


def month_of(at: datetime) -> tuple[datetime, datetime]:
    """When the month of a moment begins and ends, in UTC."""
    begin = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    later = begin.replace(year=begin.year + 1, month=1) if begin.month == 12 else begin.replace(month=begin.month + 1)
    return begin, later
