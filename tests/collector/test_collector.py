"""From a broker into a store: each report once, whatever happens in between."""

import contextlib
import json
import sqlite3
import urllib.request
from dataclasses import replace

import pytest

from fleet_simulation.postgres import ScratchPostgres
from leukoscope.messages import status
from leukoscope.messages.json_format import to_bytes
from leukoscope_collector.sqlite_store import SqliteSettings
from tests.brokers import HOST, free_port, wait_until
from tests.collector.running import Device, altered, id_of, message, rows, stored
from tests.messages.examples import IDENTITY, NOW, PROVENANCE

STATUS = IDENTITY.topic("status")


def test_what_a_device_reports_is_stored_and_what_it_repeats_is_stored_once(mosquitto, collector, store_settings):
    broker = mosquitto().start()
    running = collector(broker.port, store_settings)
    assert wait_until(running.is_connected)
    with Device(broker.port) as device:
        for number in (1, 2, 3, 2, 2):
            device.publish(message(number))
        assert wait_until(lambda: running.figure("reports_total", outcome="duplicate") == 2)
    assert stored(store_settings) == {(id_of(number), 1) for number in (1, 2, 3)}
    assert running.figure("reports_total", outcome="stored") == 3
    ((site, name, payload),) = rows(store_settings, f"SELECT site, device, payload FROM report WHERE id = '{id_of(1)}'")
    assert (site, name) == ("ward-3", "scope-1")
    assert (payload if isinstance(payload, dict) else json.loads(payload)) == json.loads(message(1))


def test_another_content_under_the_same_id_and_version_is_kept_beside_the_first_and_flagged(
    mosquitto, collector, store_settings
):
    broker = mosquitto().start()
    running = collector(broker.port, store_settings)
    assert wait_until(running.is_connected)
    first, other = message(1), message(1, white_cells=99)
    with Device(broker.port) as device:
        for payload in (first, other, other, first, message(1, version=2)):
            device.publish(payload)
        assert wait_until(lambda: running.figure("reports_total", outcome="stored") == 2)
        assert wait_until(lambda: running.figure("reports_total", outcome="conflict") == 2)
    kept = rows(store_settings, "SELECT version, contested, payload FROM report ORDER BY version")
    counted = [(row[2] if isinstance(row[2], dict) else json.loads(row[2]))["white_cells"]["counted"] for row in kept]
    assert [(row[0], bool(row[1])) for row in kept] == [(1, True), (2, False)]
    assert counted[0] == 100
    ((seen, payload),) = rows(store_settings, "SELECT seen, payload FROM conflict")
    assert seen == 2
    assert (payload if isinstance(payload, dict) else json.loads(payload))["white_cells"]["counted"] == 99


def test_the_same_report_in_another_envelope_is_no_conflict(mosquitto, collector, store_settings):
    broker = mosquitto().start()
    running = collector(broker.port, store_settings)
    assert wait_until(running.is_connected)
    again = json.loads(message(1))
    again["envelope"]["sequence"] = 77
    with Device(broker.port) as device:
        device.publish(message(1))
        device.publish(json.dumps(again).encode())
        assert wait_until(lambda: running.figure("reports_total", outcome="duplicate") == 1)
    assert rows(store_settings, "SELECT * FROM conflict") == []


BAD = {
    "no JSON": (b"\xff\x00{", "expected a JSON message"),
    "no object": (b"[1]", "expected a JSON object"),
    "NaN": (message(1).replace(b'"area_um2":400000.0', b'"area_um2":NaN'), "not a number"),
    "another schema": (altered(message(1), schema="leukoscope/report/9"), "a newer device may be sending"),
    "a missing field": (altered(message(1), platelets={}), "platelets"),
    "a wrong id": (altered(message(1), id="../../etc/passwd"), "id"),
    "a huge version": (altered(message(1), version=2**60), "version"),
    "another device's": (
        message(1, provenance=replace(PROVENANCE, device="scope-2")),
        "was published by ward-3/scope-1",
    ),
    "a NUL in a text": (message(1, sample_id="S\0-1"), "a text holds a NUL"),
    "a day that is none": (
        message(1).replace(b"2026-03-04T05:06:07", b"2026-02-30T05:06:07"),
        "2026-02-30: there is no such day",
    ),
    "too large": (message(1) + b" " * 2_000_000, "at most 1000000 are taken"),
}


@pytest.mark.parametrize("fault", BAD)
def test_what_is_no_report_is_quarantined_with_the_reason_and_stored_nowhere_else(
    mosquitto, collector, tmp_path, fault
):
    broker = mosquitto().start()
    settings = SqliteSettings(file=tmp_path / "reports.sqlite3")
    running = collector(broker.port, settings)
    assert wait_until(running.is_connected)
    payload, words = BAD[fault]
    with Device(broker.port) as device:
        device.publish(payload)
        device.publish(message(2))
        assert wait_until(lambda: running.figure("reports_total", outcome="stored") == 1)
    assert stored(settings) == {(id_of(2), 1)}
    ((topic, reason, size, kept),) = rows(settings, "SELECT topic, reason, bytes, payload FROM quarantine")
    assert (topic, size) == ("leukoscope/v1/ward-3/scope-1/report", len(payload))
    assert words in reason
    assert kept == payload[:65536]


def test_the_quarantine_is_bounded_and_keeps_the_latest(mosquitto, collector, store_settings):
    broker = mosquitto().start()
    store = store_settings.model_copy(update={"quarantine_per_topic": 3, "quarantine": 4})
    running = collector(broker.port, store)
    assert wait_until(running.is_connected)
    with Device(broker.port) as device:
        for number in range(9):
            device.publish(f"rubbish {number}".encode())
        for _ in range(2):
            device.publish(b"rubbish", "leukoscope/v1/ward-3/scope-3/report")
        assert wait_until(lambda: running.figure("reports_total", outcome="quarantined") == 11)
    kept = rows(store, "SELECT topic, payload, seen FROM quarantine ORDER BY number")
    said = [(bytes(payload), seen) for _, payload, seen in kept]
    assert said == [(b"rubbish 6", 1), (b"rubbish 7", 1), (b"rubbish 8", 1), (b"rubbish", 2)]


def test_two_collectors_share_the_reports_and_store_each_once(mosquitto, collector, store_settings):
    broker = mosquitto().start()
    both = [collector(broker.port, store_settings, name) for name in ("collector-1", "collector-2")]
    assert all(wait_until(one.is_connected) for one in both)
    with Device(broker.port) as device:
        for number in range(40):
            device.publish(message(number))
        assert wait_until(lambda: sum(one.figure("reports_total", outcome="stored") for one in both) == 40)
    assert len(stored(store_settings)) == 40
    assert all(one.figure("reports_total", outcome="stored") > 0 for one in both)


def test_reports_sent_while_the_database_is_down_are_stored_when_it_is_back(mosquitto, collector):
    broker = mosquitto("max_queued_messages 1000000").start()
    with ScratchPostgres(durable=False) as cluster:
        store = {"driver": "postgresql", "conninfo": cluster.conninfo}
        running = collector(broker.port, store)
        assert wait_until(running.is_connected)
        with Device(broker.port) as device:
            device.publish(message(1))
            assert wait_until(lambda: running.figure("reports_total", outcome="stored") == 1)
            cluster.stop()
            for number in range(2, 30):
                device.publish(message(number))
            assert wait_until(lambda: running.figure("failures_total", who="store") >= 1)
            cluster.start()
        assert wait_until(lambda: running.figure("reports_total", outcome="stored") == 29, 20)
        running.stop()


def test_reports_sent_while_the_collector_is_away_wait_at_the_broker_through_its_restart(
    mosquitto, collector, store_settings
):
    broker = mosquitto("max_queued_messages 1000000").start()
    running = collector(broker.port, store_settings)
    assert wait_until(running.is_connected)
    running.stop()
    with Device(broker.port) as device:
        for number in range(30):
            device.publish(message(number))
    broker.stop()
    broker.start()
    running = collector(broker.port, store_settings)
    assert wait_until(lambda: running.figure("reports_total", outcome="stored") == 30)


def test_a_broker_that_is_killed_is_found_again(mosquitto, collector, store_settings):
    broker = mosquitto().start()
    running = collector(broker.port, store_settings)
    assert wait_until(running.is_connected)
    broker.kill()
    assert wait_until(lambda: running.figure("failures_total", who="broker") >= 1)
    broker.start()
    assert wait_until(running.is_connected)
    with Device(broker.port) as device:
        device.publish(message(1))
        assert wait_until(lambda: stored(store_settings) == {(id_of(1), 1)})


def test_no_more_than_the_receive_maximum_is_taken_from_the_broker_while_the_store_is_busy(
    mosquitto, collector, tmp_path
):
    broker = mosquitto("max_queued_messages 1000000\nmax_inflight_messages 0").start()
    settings = SqliteSettings(file=tmp_path / "reports.sqlite3")
    running = collector(broker.port, settings, receive_maximum=5, batch=3)
    assert wait_until(running.is_connected)
    with contextlib.closing(sqlite3.connect(settings.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with Device(broker.port) as device:
            for number in range(40):
                device.publish(message(number))
        assert running.figure("waiting_messages") <= 5
        assert running.figure("reports_total", outcome="stored") == 0
        other.execute("COMMIT")
    assert wait_until(lambda: running.figure("reports_total", outcome="stored") == 40)
    assert running.figure("reports_total", outcome="duplicate") == 0


def test_one_report_the_database_refuses_does_not_hold_up_the_others(mosquitto, collector, database):
    broker = mosquitto().start()
    database.open().close()
    rows(database, f"ALTER TABLE report ADD CHECK (id <> '{id_of(2)}')")
    running = collector(broker.port, database, linger_s=1)
    assert wait_until(running.is_connected)
    with Device(broker.port) as device:
        for number in (1, 2, 3):
            device.publish(message(number))
        assert wait_until(lambda: running.figure("reports_total", outcome="stored") == 2)
    assert stored(database) == {(id_of(1), 1), (id_of(3), 1)}
    ((reason,),) = rows(database, "SELECT reason FROM quarantine")
    assert "check constraint" in reason


def test_the_last_word_of_a_device_is_kept_and_an_old_will_is_not(mosquitto, collector, store_settings):
    broker = mosquitto().start()
    with Device(broker.port) as device:
        device.publish(to_bytes(status.birth(IDENTITY, session=8, at=NOW)), STATUS, retain=True)
        running = collector(broker.port, store_settings)
        assert wait_until(lambda: rows(store_settings, "SELECT session FROM device") == [(8,)])
        device.publish(to_bytes(status.last_will(IDENTITY, session=7)), STATUS)
        said = status.health(IDENTITY, at=NOW, uptime_s=5, reports={}, measurements={}, faults=["no camera"])
        device.publish(to_bytes(said), IDENTITY.topic("health"))
        device.publish(message(1))
        assert wait_until(lambda: running.figure("reports_total", outcome="stored") == 1)
        assert rows(store_settings, "SELECT session, state FROM device") == [(8, "online")]
        device.publish(to_bytes(status.last_will(IDENTITY, session=8)), STATUS)
        assert wait_until(lambda: rows(store_settings, "SELECT state FROM device") == [("offline",)])
    ((health,),) = rows(store_settings, "SELECT health FROM device")
    assert "no camera" in str(health)


def test_prometheus_finds_the_figures(mosquitto, collector, tmp_path):
    broker = mosquitto().start()
    port = free_port()
    running = collector(broker.port, SqliteSettings(file=tmp_path / "reports.sqlite3"), metrics={"port": port})
    assert wait_until(running.is_connected)
    server, thread = running.metrics.serve(running.settings.metrics)
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    server.shutdown()
    server.server_close()
    thread.join()
    assert 'leukoscope_collector_reports_total{outcome="stored"} 0.0' in text
    assert "leukoscope_collector_broker_connected 1.0" in text
