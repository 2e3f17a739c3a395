"""A report id belongs to the device that sent its first version, whatever others send under it."""

import json
import sqlite3
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from leukoscope_collector.judging import judge
from leukoscope_collector.showing import picture
from leukoscope_collector.sqlite_store import SqliteSettings
from tests.brokers import wait_until
from tests.collector import old_layouts
from tests.collector.running import Device, id_of, message, now, rows, stored
from tests.messages.examples import PROVENANCE

OTHER = "leukoscope/v1/ward-3/scope-2/report"


def forged(number=1, **changes):
    """A report of scope-2 under the id of scope-1's report `number`."""
    return message(number, provenance=replace(PROVENANCE, device="scope-2"), **changes)


def said(payload, topic=None):
    device = json.loads(payload)["provenance"]["device"]
    return judge(topic or f"leukoscope/v1/ward-3/{device}/report", payload, topic_root="leukoscope/v1", largest=10**6)


@pytest.fixture
def store(store_settings):
    made = store_settings.open()
    yield made
    made.close()


def in_force(settings):
    found = rows(settings, "SELECT id, version, site, device FROM report_in_force ORDER BY id")
    return [(str(identifier), *rest) for identifier, *rest in found]


def test_a_higher_version_from_another_device_goes_to_quarantine_and_the_owners_stays_in_force(
    mosquitto, collector, store_settings
):
    broker = mosquitto().start()
    running = collector(broker.port, store_settings)
    assert wait_until(running.is_connected)
    with Device(broker.port) as device, Device(broker.port, "thief") as thief:
        device.publish(message(1))
        assert wait_until(lambda: stored(store_settings) == {(id_of(1), 1)})
        for version in (1, 2, 900):
            thief.publish(forged(1, version=version), OTHER)
        device.publish(message(1, version=2))
        assert wait_until(lambda: running.figure("origin_mismatches_total") == 3)
        assert wait_until(lambda: stored(store_settings) == {(id_of(1), 1), (id_of(1), 2)})
    assert in_force(store_settings) == [(id_of(1), 2, "ward-3", "scope-1")]
    assert rows(store_settings, "SELECT count(*) FROM report WHERE contested") == [(0,)]
    assert rows(store_settings, "SELECT count(*) FROM conflict") == [(0,)]
    assert running.figure("reports_total", outcome="quarantined") == 3
    reasons = rows(store_settings, "SELECT topic, reason FROM quarantine ORDER BY number")
    assert {topic for topic, _ in reasons} == {OTHER}
    assert f"report {id_of(1)} belongs to ward-3/scope-1" in reasons[0][1]
    assert "version 900 came from ward-3/scope-2" in reasons[2][1]
    assert rows(store_settings, "SELECT site, device, seen FROM origin_mismatch") == [("ward-3", "scope-2", 3)]


def test_the_first_of_a_batch_is_the_owner_in_the_order_of_arrival_not_of_versions(store, store_settings):
    kept = store.keep([said(message(1, version=5)), said(forged(1, version=1)), said(message(1))], [], now())
    assert (kept.stored, kept.foreign, kept.quarantined) == (2, 1, 1)
    assert in_force(store_settings) == [(id_of(1), 5, "ward-3", "scope-1")]


def test_an_id_stays_bound_when_its_reports_are_deleted(store, store_settings):
    store.keep([said(message(1))], [], now())
    rows(store_settings, "DELETE FROM report")
    kept = store.keep([said(forged(1, version=2))], [], now())
    assert (kept.stored, kept.foreign) == (0, 1)


def test_two_collectors_bind_an_id_to_one_device(store, store_settings):
    with_other = store_settings.open()
    try:
        store.keep([said(message(number)) for number in range(1, 4)], [], now())
        kept = with_other.keep([said(forged(number, version=2)) for number in range(1, 4)], [], now())
        assert (kept.stored, kept.foreign) == (0, 3)
    finally:
        with_other.close()


def test_show_names_the_report_its_owner_and_who_else_sent_under_it(store):
    store.keep([said(message(1)), said(forged(1, version=2))], [], now())
    tables = {table.title: table for table in picture(store).renderables if hasattr(table, "title")}
    table = tables["Report ids that another device sent under"]
    ((*row, times),) = zip(*(list(column.cells) for column in table.columns), strict=True)
    assert [str(cell) for cell in row[:5]] == [id_of(1), "ward-3", "scope-1", "ward-3", "scope-2"]
    assert str(times) == "1"


def old_store(settings, layout):
    """A store as an older collector left it, and the (id, version, device, minute of arrival) that it took."""
    taken = [
        (1, 1, "scope-1", 0),
        (1, 2, "scope-2", 1),  # taken over
        (2, 1, "scope-1", 2),
        (2, 2, "scope-1", 3),
        (3, 4, "scope-1", 4),  # versions that came in another order
        (3, 3, "scope-1", 5),
    ]
    sql: Any
    if isinstance(settings, SqliteSettings):
        settings.file.parent.mkdir(parents=True)
        sql = sqlite3.connect(settings.file, isolation_level=None)
        sql.executescript(old_layouts.SQLITE[layout])
        mark = "?"
    else:
        sql = psycopg.connect(settings.conninfo, autocommit=True)
        for statement in old_layouts.POSTGRES[layout].split(";\n"):
            if statement.strip():
                sql.execute(statement)
        mark = "%s"
    insert = f"INSERT INTO report VALUES ({', '.join([mark] * 9)})"
    for number, version, device, minute in taken:
        payload = message(number, version=version, provenance=replace(PROVENANCE, device=device)).decode()
        row = (id_of(number), version, "ward-3", device, None, f"2026-03-01T00:{minute:02d}:00.000000Z")
        sql.execute(insert, (*row, f"{number}-{version}", number == 2, payload))
    for number, version, device in ((2, 1, "scope-2"), (2, 2, "scope-1")):
        other = (id_of(number), version, f"other-{version}", "ward-3", device, "2026-03-01T00:09:00.000000Z", 3, "{}")
        sql.execute(f"INSERT INTO conflict VALUES ({', '.join([mark] * 8)})", other)
    sql.close()


@pytest.mark.parametrize("layout", [1, 2])
def test_an_old_store_is_bound_by_what_came_first_and_what_others_sent_moves_to_quarantine(store_settings, layout):
    old_store(store_settings, layout)
    assert in_force(store_settings) == [
        (id_of(1), 1, "ward-3", "scope-1"),
        (id_of(2), 2, "ward-3", "scope-1"),
        (id_of(3), 4, "ward-3", "scope-1"),
    ]
    assert len(stored(store_settings)) == 5
    moved = rows(store_settings, "SELECT topic, reason, bytes, payload FROM quarantine ORDER BY number")
    assert [(topic, size == len(payload)) for topic, _, size, payload in moved] == [("ward-3/scope-2/report", True)] * 2
    assert sorted(bytes(payload) for *_, payload in moved) == sorted([b"{}", forged(1, version=2)])
    assert all("belongs to another device" in reason for _, reason, *_ in moved)
    contested = rows(store_settings, "SELECT id, version FROM report WHERE contested")
    assert [(str(identifier), version) for identifier, version in contested] == [(id_of(2), 2)]
    assert rows(store_settings, "SELECT version, device FROM conflict") == [(2, "scope-1")]
    mismatches = rows(store_settings, "SELECT id, device, seen FROM origin_mismatch ORDER BY id")
    assert [(str(one), *rest) for one, *rest in mismatches] == [(id_of(1), "scope-2", 1), (id_of(2), "scope-2", 3)]
    store = store_settings.open()
    try:
        kept = store.keep([said(forged(1, version=9)), said(message(1, version=3))], [], now())
        assert (kept.stored, kept.foreign) == (1, 1)
    finally:
        store.close()
