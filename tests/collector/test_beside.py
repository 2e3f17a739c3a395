"""Pictures of white cells and answers to commands: kept once, bounded, and each under the name of who sent it."""

import base64
import json

import pytest

from leukoscope.errors import ExportError
from leukoscope.messages.command import Outcome, result_of
from leukoscope_collector.showing import write_pictures
from leukoscope_collector.sqlite_store import SqliteSettings
from tests.brokers import wait_until
from tests.collector.running import Device, altered, id_of, message, picture, rows, stored
from tests.messages.examples import IDENTITY, NOW

CELL = IDENTITY.topic("cell")
RESULT = IDENTITY.topic("result")
STRANGER = "leukoscope/v1/ward-3/scope-2/cell"


def answer(sequence=1, identifier="order-1", outcome="done"):
    got = Outcome(outcome, "so it is", None if outcome == "done" else "busy")
    return result_of(identifier, "restart", got, IDENTITY, sequence=sequence, at=NOW, clock_synchronised=True)


def test_pictures_and_answers_are_stored_and_what_is_repeated_is_stored_once(mosquitto, collector, store_settings):
    broker = mosquitto().start()
    running = collector(broker.port, store_settings)
    assert wait_until(running.is_connected)
    late = json.loads(picture(1, 2))
    late["envelope"] |= {"historical": True, "sequence": 99}
    with Device(broker.port) as device:
        for payload in (picture(1, 1), picture(1, 2), picture(1, 2), json.dumps(late).encode()):
            device.publish(payload, CELL)
        for payload in (answer(), answer(2), answer(3, outcome="refused"), answer(4, None, "refused")):
            device.publish(payload, RESULT)
        device.publish(message(1))
        assert wait_until(lambda: running.figure("answers_total") == 3 and running.figure("pictures_total") == 2)
        assert wait_until(lambda: stored(store_settings) == {(id_of(1), 1)})
    kept = rows(store_settings, "SELECT site, device, version, cell, class FROM cell ORDER BY cell")
    assert kept == [("ward-3", "scope-1", 1, 1, "blast"), ("ward-3", "scope-1", 1, 2, "blast")]
    got = rows(store_settings, "SELECT command, name, outcome, seen FROM result ORDER BY number")
    assert got == [
        ("order-1", "restart", "done", 2),
        ("order-1", "restart", "refused", 1),
        (None, "restart", "refused", 1),
    ]
    assert rows(store_settings, "SELECT * FROM quarantine") == []


def test_another_picture_under_the_same_number_is_quarantined_and_the_first_stays(mosquitto, collector, store_settings):
    broker = mosquitto().start()
    running = collector(broker.port, store_settings)
    assert wait_until(running.is_connected)
    with Device(broker.port) as device:
        device.publish(picture(1, 1), CELL)
        device.publish(picture(1, 1, **{"class": "smudge"}), CELL)
        assert wait_until(lambda: running.figure("reports_total", outcome="quarantined") == 1)
    assert rows(store_settings, "SELECT class FROM cell") == [("blast",)]
    ((topic, reason),) = rows(store_settings, "SELECT topic, reason FROM quarantine")
    assert topic == CELL
    assert "another picture of cell 1" in reason


def test_the_latest_pictures_and_answers_are_kept_and_no_more(mosquitto, collector, store_settings):
    broker = mosquitto().start()
    store = store_settings.model_copy(update={"pictures": 3, "answers": 2})
    running = collector(broker.port, store)
    assert wait_until(running.is_connected)
    with Device(broker.port) as device:
        for number in range(1, 8):
            device.publish(picture(1, number), CELL)
            device.publish(answer(number, f"order-{number}"), RESULT)
        assert wait_until(lambda: running.figure("answers_total") == 7 and running.figure("pictures_total") == 7)
    assert rows(store, "SELECT cell FROM cell ORDER BY number") == [(5,), (6,), (7,)]
    assert rows(store, "SELECT command FROM result ORDER BY number") == [("order-6",), ("order-7",)]


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (altered(picture(), cell=0), "cell"),
        (altered(picture(), schema="leukoscope/report/1"), "expected schema leukoscope/cell/1"),
        (picture().replace(b'"base64":"', b'"base64":"?'), "picture.base64"),
        (altered(picture(), picture=json.loads(picture())["picture"] | {"base64": "aGVsbG8="}), "expected a WebP"),
        (
            altered(
                picture(),
                picture=json.loads(picture())["picture"]
                | {"base64": base64.b64encode(b"RIFF0000WEBP" + b"x" * 8181).decode()},
            ),
            "at most 8192 bytes, found 8193",
        ),
    ],
)
def test_what_is_no_picture_is_quarantined_with_the_reason(mosquitto, collector, tmp_path, payload, words):
    broker = mosquitto().start()
    settings = SqliteSettings(file=tmp_path / "reports.sqlite3")
    running = collector(broker.port, settings)
    assert wait_until(running.is_connected)
    with Device(broker.port) as device:
        device.publish(payload, CELL)
        assert wait_until(lambda: running.figure("reports_total", outcome="quarantined") == 1)
    ((reason,),) = rows(settings, "SELECT reason FROM quarantine")
    assert words in reason
    assert rows(settings, "SELECT * FROM cell") == []


def test_a_reports_pictures_come_out_as_files_and_a_strangers_do_not(mosquitto, collector, store_settings, tmp_path):
    broker = mosquitto().start()
    running = collector(broker.port, store_settings)
    assert wait_until(running.is_connected)
    with Device(broker.port) as device:
        device.publish(message(1))
        device.publish(picture(1, 1), CELL)
        device.publish(picture(1, 2), CELL)
        device.publish(picture(1, 3, **{"class": "../../smudge"}), STRANGER)
        assert wait_until(lambda: running.figure("pictures_total") == 3)
    store = store_settings.open()
    try:
        assert write_pictures(store, id_of(1)[:8], tmp_path / "cells") == 2
        with pytest.raises(ExportError, match="no pictures of a report that begins with 'ffff'"):
            write_pictures(store, "ffff", tmp_path / "none")
    finally:
        store.close()
    files = sorted((tmp_path / "cells").iterdir())
    assert [file.name for file in files] == ["cell-00001-blast.webp", "cell-00002-blast.webp"]
    assert files[0].read_bytes()[8:12] == b"WEBP"


def test_a_store_of_the_first_layout_gets_the_new_tables_and_keeps_what_it_holds(store_settings, mosquitto, collector):
    broker = mosquitto().start()
    running = collector(broker.port, store_settings)
    assert wait_until(running.is_connected)
    with Device(broker.port) as device:
        device.publish(message(1))
        assert wait_until(lambda: stored(store_settings) == {(id_of(1), 1)})
    running.stop()
    rows(store_settings, "DROP TABLE cell")
    rows(store_settings, "DROP TABLE result")
    old = (
        "PRAGMA user_version = 1"
        if isinstance(store_settings, SqliteSettings)
        else "UPDATE collector_tables SET version = 1"
    )
    rows(store_settings, old)
    assert stored(store_settings) == {(id_of(1), 1)}
    assert (
        rows(store_settings, "SELECT count(*) FROM cell")
        == rows(store_settings, "SELECT count(*) FROM result")
        == [(0,)]
    )
    assert rows(store_settings, "SELECT seen FROM result") == []
