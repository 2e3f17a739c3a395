"""No client speaks in another's name, and whatever is tried leaves nothing behind in the store."""

import socket
import ssl
import stat
from dataclasses import replace
from random import Random

import pytest

from leukoscope.outbox.cell_pictures import keep_pictures
from leukoscope.outbox.entry import Key, State
from leukoscope.outbox.record_report import record
from leukoscope.specimen.census import CellPicture, CellRecord
from leukoscope_collector.collector_settings import CollectorSettings
from leukoscope_collector.sqlite_store import SqliteSettings
from tests.brokers import HOST, wait_until
from tests.collector.running import id_of, message, rows, stored
from tests.delivery.conftest import clock
from tests.messages.examples import IDENTITY, NOW, PROVENANCE, report
from tests.security.conftest import OTHER, SPEAKER

REFUSED = "Not authorized"
CELL = CellRecord(7, 3, "blast", 0.75, (1, 2, 30, 40))
PICTURE = CellPicture(b"RIFF\0\0\0\0WEBP", 60, 70, 0.1)


@pytest.fixture
def collected(site, collector, tmp_path):
    """A collector with the site's own certificate, and its store."""
    store = SqliteSettings(file=tmp_path / "reports.sqlite3")
    broker = site.settings("collector-1").model_dump(
        include={"host", "port", "tls", "ca_file", "client_cert", "client_key"}
    )
    group = CollectorSettings.read(site.holders["collector-1"] / "collector.toml").group
    running = collector(site.port, store, broker=broker, group=group)
    assert wait_until(running.is_connected)
    return running, store


def test_a_report_goes_all_the_way_under_the_provisioned_rules(site, collected, outbox):
    _, store = collected
    publisher = site.settings(needs_reader=True).open(outbox, IDENTITY, now=clock, rng=Random(1))
    record(report(1), outbox, IDENTITY, now=clock)
    keep_pictures(report(1), [(CELL, PICTURE)], outbox, IDENTITY, now=clock)
    publisher.start()
    assert publisher.flush(8), publisher.state
    assert wait_until(lambda: rows(store, "SELECT report, cell, class FROM cell") == [(id_of(1), 7, "blast")])
    publisher.stop()
    assert publisher.state.last_error is None
    assert wait_until(lambda: stored(store) == {(id_of(1), 1)})
    assert wait_until(
        lambda: rows(store, "SELECT site, device, state FROM device") == [("ward-3", "scope-1", "offline")]
    )


@pytest.mark.parametrize("kind", ["report", "status", "health", "result", "cell", "command"])
def test_a_device_cannot_speak_under_another_devices_name(site, collected, kind):
    _, store = collected
    with site.speaker(SPEAKER) as device:
        assert device.publish(message(1), f"leukoscope/v1/{OTHER}/{kind}") == REFUSED
        assert device.publish(message(2)) == "Success"
    assert wait_until(lambda: stored(store) == {(id_of(2), 1)})
    assert rows(store, "SELECT * FROM quarantine") == []
    assert f"Denied PUBLISH from {SPEAKER}" in site.log.read_text()


def test_a_refused_topic_is_kept_in_the_devices_outbox_with_the_reason_and_the_others_go_on(site, outbox, collected):
    outbox.put(Key("odd", 1, "report"), "nonsense", b"{}", NOW)
    record(report(1), outbox, IDENTITY, now=clock)
    publisher = site.settings().open(outbox, IDENTITY, now=clock, rng=Random(1))
    publisher.start()
    assert wait_until(lambda: (publisher.state.refused, publisher.state.sent) == (1, 1))
    assert publisher.state.last_error == f"report odd v1: the broker refused it: {REFUSED}"
    publisher.stop()
    assert outbox.list(State.REFUSED)[0].note == f"the broker refused it: {REFUSED}"


def test_a_device_that_calls_itself_by_anothers_name_is_refused_and_keeps_its_reports(site, outbox, collected):
    _, store = collected
    impostor = replace(IDENTITY, device="scope-2")
    record(report(1), outbox, impostor, now=clock)
    publisher = site.settings().open(outbox, impostor, now=clock, rng=Random(1))
    publisher.start()
    assert wait_until(lambda: publisher.state.refused == 1)
    assert f"the broker refused it: {REFUSED}" in publisher.state.last_error
    publisher.stop()
    assert outbox.list(State.REFUSED)[0].note == f"the broker refused it: {REFUSED}"
    assert stored(store) == set()


def test_a_device_cannot_command_and_an_operator_commands_the_one_it_names(site):
    heard = []
    with site.speaker(SPEAKER) as device, site.speaker("ward") as operator, site.speaker(OTHER) as other:
        for listener, name in ((device, SPEAKER), (other, OTHER)):
            listener.client.on_message = lambda client, data, said, name=name: heard.append((name, said.topic))
            for topic in ("#", f"leukoscope/v1/{name}/command"):
                assert listener.subscribe(topic)
        for topic in (f"leukoscope/v1/{SPEAKER}/command", f"leukoscope/v1/{OTHER}/command"):
            assert device.publish(b"{}", topic) == REFUSED
        assert operator.publish(b"{}", f"leukoscope/v1/{SPEAKER}/command") == "Success"
        assert other.publish(message(1), f"leukoscope/v1/{OTHER}/report").startswith(("Success", "No matching"))
        assert wait_until(lambda: heard)
        assert operator.publish(b"{}", f"leukoscope/v1/{OTHER}/command") == "Success"
        assert wait_until(lambda: any(name == OTHER for name, _ in heard))
    assert set(heard) == {(SPEAKER, f"leukoscope/v1/{SPEAKER}/command"), (OTHER, f"leukoscope/v1/{OTHER}/command")}


@pytest.mark.parametrize("holder", ["collector-1", "ward"])
@pytest.mark.parametrize("kind", ["report", "status"])
def test_collectors_and_operators_cannot_report(site, holder, kind):
    with site.speaker(holder) as speaker:
        assert speaker.publish(message(1), f"leukoscope/v1/{SPEAKER}/{kind}") == REFUSED


def test_a_collector_cannot_command(site):
    with site.speaker("collector-1") as speaker:
        assert speaker.publish(b"{}", f"leukoscope/v1/{SPEAKER}/command") == REFUSED


def test_a_device_cannot_take_over_the_session_of_a_collector(site, collected):
    running, store = collected
    with site.speaker(SPEAKER, client_id="leukoscope-collector-1") as device:
        assert device.publish(message(1)) == "Success"
        assert wait_until(lambda: stored(store) == {(id_of(1), 1)})
    assert running.figure("failures_total", who="broker") == 0


def test_a_device_that_wants_to_share_the_reports_takes_none_from_the_collectors(site, collected):
    _, store = collected
    with site.speaker(OTHER) as thief, site.speaker(SPEAKER) as device:
        assert thief.subscribe("$share/collectors/leukoscope/v1/+/+/report")
        for number in range(1, 7):
            device.publish(message(number))
        assert wait_until(lambda: stored(store) == {(id_of(number), 1) for number in range(1, 7)})


def test_the_name_under_which_collectors_share_reports_is_a_secret_of_the_site(site):
    settings = site.holders["collector-1"] / "collector.toml"
    second = site.site.add_collector("collector-2") / "collector.toml"
    groups = {CollectorSettings.read(file).group for file in (settings, second)}
    assert len(groups) == 1
    assert len(groups.pop()) > 40
    secret = [settings, second, site.folder / "authority" / "collectors"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in secret} == {0o600}


def test_a_captured_report_sent_again_is_stored_once_and_from_another_device_it_is_quarantined(site, collected):
    running, store = collected
    with site.speaker(SPEAKER) as device, site.speaker(OTHER, "y") as thief:
        device.publish(message(1))
        device.publish(message(1))
        thief.publish(message(1), f"leukoscope/v1/{OTHER}/report")
        assert wait_until(lambda: running.figure("reports_total", outcome="duplicate") == 1)
        assert wait_until(lambda: running.figure("reports_total", outcome="quarantined") == 1)
    assert stored(store) == {(id_of(1), 1)}
    ((reason,),) = rows(store, "SELECT reason FROM quarantine")
    assert reason.startswith("it says it is from ward-3/scope-1 and was published by ward-3/scope-2")


@pytest.mark.parametrize("version", [1, 2])
def test_a_device_that_uses_anothers_report_id_cannot_replace_it(site, collected, version):
    running, store = collected
    with site.speaker(SPEAKER) as device, site.speaker(OTHER, "y") as thief:
        device.publish(message(1))
        assert wait_until(lambda: stored(store) == {(id_of(1), 1)})
        forged = message(1, version=version, provenance=replace(PROVENANCE, device="scope-2"), white_cells=1)
        thief.publish(forged, f"leukoscope/v1/{OTHER}/report")
        assert wait_until(lambda: running.figure("origin_mismatches_total") == 1)
    assert rows(store, "SELECT device, version, contested FROM report_in_force") == [("scope-1", 1, 0)]
    assert rows(store, "SELECT device FROM report") == [("scope-1",)]
    ((topic, reason),) = rows(store, "SELECT topic, reason FROM quarantine")
    assert topic == f"leukoscope/v1/{OTHER}/report"
    assert "belongs to ward-3/scope-1" in reason


def test_commands_in_the_text_of_a_report_stay_text(site, collected):
    running, store = collected
    name = "x'); DROP TABLE report; -- $(reboot) \x01 \u202e {{7*7}}"
    with site.speaker(SPEAKER) as device:
        device.publish(message(1, sample_id=name))
        device.publish(message(2))
        assert wait_until(lambda: running.figure("reports_total", outcome="stored") == 2)
    ((kept,),) = rows(store, f"SELECT payload FROM report WHERE id = '{id_of(1)}'")
    assert kept.encode() == message(1, sample_id=name)


def test_what_is_too_large_is_refused_and_the_next_report_arrives(site, collected, outbox):
    _, store = collected
    outbox.put(Key("large", 1, "report"), "report", b"x" * 2_000_000, NOW)
    record(report(2), outbox, IDENTITY, now=clock)
    publisher = site.settings().open(outbox, IDENTITY, now=clock, rng=Random(1))
    publisher.start()
    assert wait_until(lambda: (publisher.state.refused, publisher.state.sent) == (1, 1))
    publisher.stop()
    assert "packets" in outbox.list(State.REFUSED)[0].note
    assert wait_until(lambda: stored(store) == {(id_of(2), 1)})


@pytest.mark.parametrize("rubbish", [b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\xff\x7f", b"\x30" * 5000])
def test_a_connection_that_speaks_no_mqtt_is_closed_and_disturbs_nobody(site, collected, rubbish):
    _, store = collected
    context = site.settings(OTHER).tls_context()
    with (
        socket.create_connection((HOST, site.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as wrapped,
    ):
        wrapped.sendall(rubbish)
        try:
            while wrapped.recv(100):
                pass
        except (ConnectionError, ssl.SSLError):
            pass
    with site.speaker(SPEAKER) as device:
        assert device.publish(message(1)) == "Success"
    assert wait_until(lambda: stored(store) == {(id_of(1), 1)})
