"""A SQLite store goes into PostgreSQL whole, stopped halfway or not."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from leukoscope_collector import copying
from leukoscope_collector.__main__ import main
from leukoscope_collector.copying import copy
from leukoscope_collector.judging import DeviceStatus, Suspect
from leukoscope_collector.postgres_store import PostgresSettings, PostgresStore
from leukoscope_collector.report_store import Store, StoreUnavailable
from leukoscope_collector.sqlite_store import SqliteSettings, SqliteStore
from tests.collector.running import id_of
from tests.collector.test_partitions import judged

NOVEMBER = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
REPORTS = 250
"""Five batches."""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "BATCH", 50)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store of one clinic: reports of two months, a conflict, a message that will not do, a device."""
    store = SqliteSettings(file=tmp_path / "reports.sqlite3").open()
    for month in range(2):
        numbers = range(1 + month, REPORTS, 2)
        store.keep([judged(number) for number in numbers], [], NOVEMBER + timedelta(days=31 * month))
    odd = Suspect("leukoscope/v1/ward-3/scope-1/report", b"\xff\x00no report", "no JSON")
    status = DeviceStatus("ward-3", "scope-1", "status", "online", 7, '{"state":"online"}')
    store.keep([judged(1, white_cells=99), status], [odd], NOVEMBER + timedelta(days=40))
    yield store
    store.close()


def content(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Everything but numbers of rows, as texts that both databases give alike."""
    asked = {
        "report": "SELECT CAST(id AS text), version, site, device, status, sha256, CAST(payload AS text),"
        " CASE WHEN contested THEN 1 ELSE 0 END FROM report ORDER BY 1, 2",
        "report_key": "SELECT CAST(id AS text), version, sha256 FROM report_key ORDER BY 1, 2",
        "report_origin": "SELECT CAST(id AS text), site, device FROM report_origin ORDER BY 1",
        "conflict": "SELECT CAST(id AS text), version, sha256, seen FROM conflict ORDER BY 1, 2",
        "quarantine": "SELECT topic, sha256, reason, bytes, seen, payload FROM quarantine ORDER BY 1, 2",
        "device": "SELECT site, device, state, session, CAST(status AS text) FROM device ORDER BY 1, 2",
    }
    return {name: store.execute(statement) for name, statement in asked.items()}


def test_everything_arrives_once_and_a_second_run_finds_it_there(old: SqliteStore, database: PostgresSettings) -> None:
    with closing(database.open()) as new:
        said: list[str] = []
        assert copy(old, new, said.append)
        assert "report: 249 copied, 0 there already, 0 left out" in said
        assert content(new) == content(old)
        assert len(content(new)["conflict"]) == 1
        said.clear()
        assert copy(old, new, said.append)
        assert "report: 0 copied, 249 there already, 0 left out" in said
        assert content(new) == content(old)
        times = [row[0] for row in new.execute("SELECT DISTINCT received_at FROM report ORDER BY 1")]
        assert times == [NOVEMBER, NOVEMBER + timedelta(days=31)]


def test_stopped_anywhere_it_goes_on_when_run_again(
    old: SqliteStore, database: PostgresSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute: Callable[..., list[tuple[Any, ...]]] = PostgresStore.execute
    with closing(database.open()) as new:
        for stop_after in (40, 200, 800):
            left = iter(range(stop_after))

            def until_it_stops(store: PostgresStore, *words: Any, left: Iterator[int] = left) -> list[tuple[Any, ...]]:
                if next(left, None) is None:
                    raise StoreUnavailable("the network was cut", "mend it")
                return execute(store, *words)

            monkeypatch.setattr(PostgresStore, "execute", until_it_stops)
            with pytest.raises(StoreUnavailable):
                copy(old, new, lambda _: None)
        monkeypatch.setattr(PostgresStore, "execute", execute)
        kept = len(content(new)["report"])
        assert 0 < kept < REPORTS - 1
        assert kept % copying.BATCH == 0
        assert copy(old, new, lambda _: None)
        assert content(new) == content(old)


def test_what_the_database_holds_is_never_replaced_and_what_is_left_out_is_named(
    old: SqliteStore, database: PostgresSettings
) -> None:
    with closing(database.open()) as new:
        new.keep([judged(3, white_cells=77)], [], NOVEMBER)
        new.execute("INSERT INTO report_origin VALUES (:id, 'ward-9', 'scope-9', now())", {"id": id_of(5)})
        before = content(new)["report"]
        said: list[str] = []
        assert not copy(old, new, said.append)
        assert "report: 247 copied, 0 there already, 2 left out" in said
        assert f"  {id_of(3)} 1: the database holds another content under this id and version" in said
        assert f"  {id_of(5)} 1: the id belongs to ward-9/scope-9 in the database" in said
        assert set(before) <= set(content(new)["report"])


def test_the_command_copies_and_refuses_other_stores(
    old: SqliteStore,
    database: PostgresSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lite, postgres = tmp_path / "lite.toml", tmp_path / "postgres.toml"
    lite.write_text(tomli_w.dumps({"store": {"driver": "sqlite", "file": str(tmp_path / "reports.sqlite3")}}))
    postgres.write_text(tomli_w.dumps({"store": {"driver": "postgresql", "conninfo": database.conninfo}}))
    for source, target, code in ((lite, postgres, 0), (postgres, lite, 2), (lite, lite, 2)):
        monkeypatch.setattr(sys, "argv", ["leukoscope-collector", "--settings", str(source), "--copy-to", str(target)])
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code == code
        assert ("249 copied" in capsys.readouterr().out) is (code == 0)
    with closing(database.open()) as new:
        assert content(new) == content(old)
