"""Reports by month in PostgreSQL: each key once over all months, and an old store brought there under traffic."""

import contextlib
import threading
import time
from datetime import UTC, datetime

import psycopg
import pytest

from leukoscope_collector import partitions
from leukoscope_collector.judging import Report, judge
from leukoscope_collector.partitioning import drop_before, partition
from leukoscope_collector.postgres_store import PostgresSettings, PostgresStore
from leukoscope_collector.report_store import StoreUnavailable
from tests.brokers import wait_until
from tests.collector.old_layouts import POSTGRES
from tests.collector.running import TOPIC, id_of, message, rows

NOVEMBER, DECEMBER = datetime(2026, 11, 30, 23, 59, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
JANUARY = datetime(2027, 1, 15, tzinfo=UTC)


def judged(number: int, **changes) -> Report:
    said = judge(TOPIC, message(number, **changes), topic_root="leukoscope/v1", largest=1_000_000)
    assert isinstance(said, Report)
    return said


def is_partitioned(settings: PostgresSettings) -> bool:
    return rows(settings, "SELECT relkind FROM pg_class WHERE relname = 'report'") == [("p",)]


def keys(settings: PostgresSettings, table: str = "report") -> list[tuple[str, int]]:
    return [(str(row[0]), row[1]) for row in rows(settings, f"SELECT id, version FROM {table} ORDER BY id, version")]


@pytest.fixture
def old(database: PostgresSettings) -> PostgresSettings:
    """A store that a collector of the second layout made, with 40 reports."""
    with psycopg.connect(database.conninfo, autocommit=True) as sql:
        sql.execute(POSTGRES[2].encode())
        with sql.cursor() as many:
            many.executemany(
                "INSERT INTO report (id, version, site, device, received_at, sha256, payload)"
                " VALUES (%s, 1, 'ward-3', 'scope-1', %s, %s, '{}')",
                [(id_of(number), NOVEMBER, f"{number:064x}") for number in range(1, 41)],
            )
    return database


def test_reports_lie_in_the_month_in_which_they_came_and_each_key_is_there_once(database):
    store = database.open()
    first_end = partitions.month_of(datetime.now(UTC))[1]
    later = [first_end, *partitions.month_of(partitions.month_of(first_end)[1])]
    assert store.keep([judged(1)], [], datetime.now(UTC)).stored == 1
    for number, at in enumerate(later, 2):
        assert store.keep([judged(number), judged(1)], [], at).duplicates == 1
    kept = store.keep([judged(1, white_cells=99)], [], later[-1])
    assert (kept.stored, kept.conflicts) == (0, 1)
    store.close()
    where = rows(database, "SELECT tableoid::regclass::text, count(*) FROM report GROUP BY 1")
    assert set(where) == {("report_before", 1), *((f"report_{at:%Y_%m}", 1) for at in later)}
    assert keys(database) == keys(database, "report_key")


def test_an_old_store_serves_collectors_until_the_command_and_after_it(old):
    store = old.open()
    assert not is_partitioned(old)
    assert store.keep([judged(41), judged(41)], [], NOVEMBER).stored == 1
    assert partition(store, NOVEMBER, lambda step: None, batch=7)
    assert is_partitioned(old)
    kept = store.keep([judged(41), judged(42)], [], DECEMBER)
    assert (kept.stored, kept.duplicates) == (1, 1)
    assert not partition(store, NOVEMBER, lambda step: None)
    store.close()
    expected = sorted((id_of(number), 1) for number in range(1, 43))
    assert keys(old) == keys(old, "report_key") == keys(old, "report_in_force") == expected


def test_the_command_may_be_interrupted_at_every_statement(old, monkeypatch):
    class PulledPlugError(Exception):
        pass

    allowed, left, run = 0, 0, PostgresStore.execute

    def execute(self, statement, values=None):
        nonlocal left
        left -= 1
        if left < 0:
            raise PulledPlugError
        return run(self, statement, values)

    done = False
    while not done:
        store = old.open()
        left = allowed
        monkeypatch.setattr(PostgresStore, "execute", execute)
        with contextlib.suppress(PulledPlugError):
            done = partition(store, NOVEMBER, lambda step: None, batch=15)
        monkeypatch.setattr(PostgresStore, "execute", run)
        store.close()
        allowed += 3
        # Whatever was reached, the store takes reports.
        store = old.open()
        assert store.keep([judged(100 + allowed), judged(1, version=2)], [], NOVEMBER).stored >= 1
        store.close()
    assert is_partitioned(old)
    assert keys(old) == keys(old, "report_key")
    assert len(keys(old)) == 40 + allowed // 3 + 1


def test_what_collectors_store_meanwhile_is_there_once(old):
    stopped, number = threading.Event(), 1000
    counted = []

    def collect() -> None:
        nonlocal number
        store = old.open()
        while not stopped.is_set():
            number += 1
            counted.append(store.keep([judged(number), judged(number - 1)], [], NOVEMBER).stored)
        store.close()

    thread = threading.Thread(target=collect)
    thread.start()
    store = old.open()
    partition(store, NOVEMBER, lambda step: None, batch=3)
    stopped.set()
    thread.join()
    store.close()
    assert keys(old) == keys(old, "report_key")
    assert len(keys(old)) == 40 + sum(counted)
    assert len(set(keys(old))) == len(keys(old))


def test_a_month_that_was_dropped_stays_known(old):
    store = old.open()
    partition(store, NOVEMBER, lambda step: None)
    store.keep([judged(50)], [], DECEMBER)
    store.keep([judged(51)], [], JANUARY)
    assert drop_before(store, DECEMBER, lambda step: None) == 1
    assert keys(old) == sorted([(id_of(50), 1), (id_of(51), 1)])
    kept = store.keep([judged(50)], [], JANUARY)
    assert (kept.stored, kept.duplicates) == (0, 1)
    assert drop_before(store, JANUARY, lambda step: None) == 1
    kept = store.keep([judged(50)], [], JANUARY)
    assert (kept.stored, kept.duplicates) == (0, 1)
    store.close()


def test_what_no_standby_confirms_is_not_called_stored_not_even_when_it_comes_again(cluster, database):
    database.open().close()
    with psycopg.connect(cluster.conninfo, autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        admin.execute("ALTER SYSTEM SET synchronous_commit = on")
        admin.execute("SELECT pg_reload_conf()")
        # The checkpointer tells the others, when it has time.
        time.sleep(2)
        waiting = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        try:
            # PostgreSQL keeps a commit whose wait is cancelled, and only warns; a second sending meets what is there.
            for _ in range(2):
                store, raised = PostgresStore(database), list[StoreUnavailable]()
                thread = threading.Thread(target=keep_one, args=(store, raised))
                thread.start()
                assert wait_until(lambda: admin.execute(waiting).fetchall())
                thread.join()
                store.close()
                assert "standby does not confirm" in str(raised)
        finally:
            admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
            admin.execute("ALTER SYSTEM RESET synchronous_commit")
            admin.execute("SELECT pg_reload_conf()")
    store = PostgresStore(database)
    assert wait_until(lambda: store.keep([judged(1)], [], NOVEMBER).duplicates == 1)
    store.close()


def keep_one(store: PostgresStore, raised: list[StoreUnavailable]) -> None:
    try:
        store.keep([judged(1)], [], NOVEMBER)
    except StoreUnavailable as error:
        raised.append(error)
