"""An existing PostgreSQL store is brought into months, and old months are dropped; both may be interrupted."""

from collections.abc import Callable
from datetime import datetime

from leukoscope_collector import partitions
from leukoscope_collector.postgres_store import PostgresStore
from leukoscope_collector.tables import statements

Report = Callable[[str], None]


def partition(store: PostgresStore, now: datetime, report: Report, batch: int = partitions.BATCH) -> bool:
    """Bring the reports of a store into months while collectors go on storing.

    Keys are copied in small transactions, the index is built beside the traffic, and one short transaction switches.
    Stopped before the switch it leaves the store as it was, and goes on from there when run again.

    Args:
        store: no other thread uses it.
        now: timezone-aware.
        say: called with a text for each step.
        batch: keys copied in one transaction.

    Returns:
        False where the reports are in months already.

    Raises:
        StoreUnavailable: the database went away; run it again.
    """
    if _is_partitioned(store):
        return False
    with store.transaction():
        if not store.execute("SELECT 1 WHERE to_regclass('report_key_copy') IS NOT NULL"):
            for statement in statements(partitions.COPY):
                store.execute(statement)
    copied = 0
    while True:
        with store.transaction():
            if not store.execute(partitions.NEXT_KEYS, {"batch": batch}):
                break
        copied += batch
        report(f"keys copied: up to {copied}")
    report("building the index")
    store.build_index("report_before_by_id", "report (id, version)")
    _, end = partitions.month_of(now)
    with store.transaction():
        # With the constraint the switch need not read the table to know what is in it.
        store.execute("ALTER TABLE report DROP CONSTRAINT IF EXISTS report_before_end")
        store.execute(
            f"ALTER TABLE report ADD CONSTRAINT report_before_end CHECK (received_at < '{end.isoformat()}') NOT VALID"
        )
    with store.transaction():
        store.execute("SET LOCAL statement_timeout = 0")
        store.execute("ALTER TABLE report VALIDATE CONSTRAINT report_before_end")
    with store.transaction():
        partitions.switch(store.execute, now, partitions.FROM_COPY)
    report("reports are in months now")
    return True


def drop_before(store: PostgresStore, until: datetime, report: Report) -> int:
    """Drop the months that ended by then; their keys stay, so that what is sent once more is still a duplicate.

    Args:
        store: partitioned.
        until: timezone-aware.
        say: called with a text for each month.

    Returns:
        How many months went.
    """
    with store.transaction():
        store.execute("SET LOCAL statement_timeout = 0")
        gone = store.execute(
            "SELECT partition FROM report_month WHERE to_at <= :until ORDER BY to_at", {"until": until}
        )
        for (name,) in gone:
            store.execute(f"DROP TABLE {name}")
            store.execute("DELETE FROM report_month WHERE partition = :name", {"name": name})
            report(f"dropped {name}")
        store.execute("DELETE FROM conflict WHERE received_at < :until", {"until": until})
    return len(gone)


def _is_partitioned(store: PostgresStore) -> bool:
    with store.transaction():
        return bool(store.execute("SELECT 1 FROM pg_class WHERE oid = to_regclass('report') AND relkind = 'p'"))
