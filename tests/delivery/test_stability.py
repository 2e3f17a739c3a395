"""Connections that do not last: the pause between them grows, their cause is still shown, and the card is spared."""

import dataclasses
import logging
import time
from pathlib import Path

import pytest

from leukoscope.delivery import MqttSettings
from leukoscope.doctor.broker import check_broker
from leukoscope.errors import BrokerError
from leukoscope.messages import status
from leukoscope.outbox.record_report import record
from leukoscope.outbox.store import Outbox
from tests.brokers import HOST, Subscriber, wait_until
from tests.delivery.conftest import clock
from tests.delivery.flapping_line import FlappingLine
from tests.delivery.scripted_broker import ScriptedBroker
from tests.messages.examples import IDENTITY, report

BUSY, TAKEN_OVER, SHUTTING_DOWN = 0x89, 0x8E, 0x8B
NO_RETAINED = b"\x20\x05\x00\x00\x02\x25\x00"
NO_QOS_1 = b"\x20\x05\x00\x00\x02\x24\x00"
SLOW = {"first_retry_s": 0.1, "longest_retry_s": 10.0}


def keep(outbox, *numbers):
    return [record(report(number), outbox, IDENTITY, now=clock) for number in numbers]


def health(faults=()):
    return status.health(IDENTITY, at=clock(), uptime_s=1.0, reports={}, measurements={}, faults=faults)


def written_bytes(publisher):
    """What the publisher's thread has handed to files; sockets are sent to, not written to."""
    got = Path(f"/proc/self/task/{publisher._thread.native_id}/io").read_text()
    return int(dict(line.split(": ") for line in got.splitlines())["wchar"])


@pytest.mark.parametrize("code", [BUSY, TAKEN_OVER, SHUTTING_DOWN])
def test_a_broker_that_ends_each_connection_after_the_birth_is_asked_more_and_more_rarely(publisher, code):
    with ScriptedBroker(goodbye=code) as broker:
        publisher(broker.port, **SLOW)
        assert wait_until(lambda: broker.connects)
        time.sleep(3.0)
        # Pauses of 0.1, 0.2, 0.4, 0.8, 1.6 s and half of these at the least; without growth there would be thirty.
        assert 3 <= len(broker.connects) <= 7


def test_a_busy_broker_in_its_answer_to_the_connection_is_asked_more_and_more_rarely_and_named(publisher):
    with ScriptedBroker(connack=b"\x20\x03\x00\x89\x00") as broker:
        running = publisher(broker.port, **SLOW)
        assert wait_until(lambda: broker.connects)
        time.sleep(3.0)
        assert 3 <= len(broker.connects) <= 7
        assert "Server busy" in running.state.last_error
        assert "more and more rarely" in running.state.last_error


def test_a_connection_that_the_broker_ends_costs_the_card_little_also_with_reports_waiting(publisher, outbox):
    keep(outbox, *range(20))
    with ScriptedBroker(goodbye=BUSY) as broker:
        running = publisher(broker.port, first_retry_s=0.01, longest_retry_s=0.05)
        assert wait_until(lambda: len(broker.connects) >= 5)
        before, connects = written_bytes(running), len(broker.connects)
        assert wait_until(lambda: len(broker.connects) >= connects + 30, 20)
        assert (written_bytes(running) - before) / 30 <= 20_000
    assert outbox.counts().pending == 20


def test_the_cause_stays_told_while_the_next_connection_is_not_known_to_last_and_goes_when_it_lasts(publisher, caplog):
    caplog.set_level(logging.INFO)
    with ScriptedBroker(goodbye=TAKEN_OVER, after_birth_s=0.3) as broker:
        running = publisher(broker.port, first_retry_s=0.05, longest_retry_s=0.3)
        assert wait_until(lambda: len(broker.connects) >= 3)
        assert wait_until(lambda: running.state.connected)
        assert "do two devices share a name?" in running.state.last_error
        broker.goodbye = None
        assert wait_until(lambda: running.state.connected and running.state.last_error is None)
    got = [entry.message for entry in caplog.records if "share a name" in entry.message]
    assert len(got) == 1, got
    assert "holds again" in caplog.text


def test_health_tells_what_ended_the_last_connection_also_where_it_was_posted_while_there_was_none(publisher):
    with ScriptedBroker(goodbye=BUSY) as broker:
        running = publisher(broker.port, first_retry_s=0.05, longest_retry_s=30.0)
        assert wait_until(lambda: len(broker.connects) >= 2 and not running.state.connected)
        broker.goodbye = None
        running.post_health(health(faults=["Camera: unplugged"]))
        assert wait_until(lambda: any(b"leukoscope/health/1" in one for one in broker.published))
        (said,) = [one for one in broker.published if b"leukoscope/health/1" in one]
        assert b"Server busy" in said
        assert b"Camera: unplugged" in said


def test_a_health_message_too_large_for_the_broker_is_named_and_delays_no_report(publisher, outbox):
    with ScriptedBroker(connack=b"\x20\x08\x00\x00\x05\x27\x00\x00\x20\x00") as broker:
        running = publisher(broker.port)
        assert wait_until(lambda: running.state.connected)
        running.post_health(health(faults=[f"fault {number} " + "x" * 400 for number in range(20)]))
        assert wait_until(lambda: running.state.last_error)
        assert "the health message is not sent" in running.state.last_error
        assert running.state.last_error.endswith("takes packets of 8192: raise the broker's limit")
        keep(outbox, 1)
        assert running.flush(5)
        running.post_health(health())
        assert wait_until(lambda: running.state.last_error is None)
        assert len(broker.connects) == 1


def test_the_doctor_does_not_call_a_broker_good_that_ends_the_connection_after_an_acknowledgement():
    with (
        ScriptedBroker(goodbye=BUSY, after_birth_s=0.3) as broker,
        pytest.raises(BrokerError, match="Server busy"),
    ):
        check_broker(MqttSettings(host=HOST, port=broker.port), IDENTITY)


@pytest.mark.parametrize("boot_id", ["boot-of-the-copy", IDENTITY.boot_id])
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_two_devices_that_throw_each_other_out_do_so_ever_more_rarely_and_both_say_why(
    mosquitto, publisher, tmp_path, protocol, boot_id
):
    broker = mosquitto("log_type all").start()
    other = dataclasses.replace(IDENTITY, boot_id=boot_id)
    began_s = time.monotonic()
    with Outbox.open(tmp_path / "copy.sqlite3") as copy:
        both = [
            publisher(broker.port, protocol=protocol, **SLOW),
            publisher(broker.port, protocol=protocol, identity=other, store=copy, **SLOW),
        ]

        def causes():
            return [one.state.last_error or "" for one in both]

        def named(cause):
            return "two devices share a name?" in cause or "another device calls itself" in cause

        # While pauses are shorter than a second both may go by the same number, and look like one.
        assert wait_until(lambda: all(map(named, causes())), 30), causes()
        took_s = time.monotonic() - began_s
        for one in both:
            one.stop()
    log = (tmp_path / "mosquitto-0" / "mosquitto.log").read_text()
    assert 3 <= log.count("New client connected") <= 16 + took_s


def test_a_broker_that_crashed_and_remembers_an_earlier_start_of_ours_accuses_no_other_device(
    mosquitto, publisher, outbox
):
    broker = mosquitto("autosave_interval 3600\nautosave_on_changes false").start()
    before = publisher(broker.port)
    assert wait_until(lambda: before.state.connected)
    before.stop()
    broker.stop()  # it saves what the first start said
    broker.start()
    running = publisher(broker.port, first_retry_s=0.05, longest_retry_s=0.1)
    assert wait_until(lambda: running.state.connected)
    broker.kill()  # and forgets what the second said
    assert wait_until(lambda: not running.state.connected)
    broker.start()
    assert wait_until(lambda: running.state.connected)
    time.sleep(0.5)
    assert "another device" not in (running.state.last_error or "")


def test_a_broker_that_keeps_no_retained_messages_is_used_without_and_the_doctor_says_so(publisher, outbox):
    keep(outbox, 1)
    with ScriptedBroker(connack=NO_RETAINED) as broker:
        running = publisher(broker.port)
        assert running.flush(5)
        assert len(broker.connects) == 1
        assert not any(broker.retained)
        assert running.state.last_error is None
        running.stop()
        got = check_broker(MqttSettings(host=HOST, port=broker.port), IDENTITY)
    assert "keeps no retained messages" in got


def test_a_broker_that_refuses_a_retained_will_is_asked_again_without(publisher):
    with ScriptedBroker(connack=b"\x20\x03\x00\x9a\x00") as broker:
        running = publisher(broker.port)
        assert wait_until(lambda: len(broker.connects) >= 2)
        assert broker.wills_retained[:2] == [True, False]
        assert "Retain not supported" in running.state.last_error


def test_a_broker_that_acknowledges_nothing_is_refused_alike_by_device_and_doctor(publisher, outbox):
    keep(outbox, 1)
    with ScriptedBroker(connack=NO_QOS_1) as broker:
        running = publisher(broker.port)
        assert wait_until(lambda: running.state.last_error)
        assert "QoS 0 only" in running.state.last_error
        assert broker.retained == []
        running.stop()
        with pytest.raises(BrokerError, match="QoS 0 only"):
            check_broker(MqttSettings(host=HOST, port=broker.port), IDENTITY)


def seconds_until_all_are_acknowledged(broker, publisher, folder, count, redelivery_window_s):
    with (
        Outbox.open(folder / f"outbox-{redelivery_window_s}.sqlite3") as outbox,
        FlappingLine(broker.port, lives_s=0.6, late_s=0.05) as line,
    ):
        keep(outbox, *range(count))
        began = time.monotonic()
        running = publisher(
            line.port,
            store=outbox,
            redelivery_window_s=redelivery_window_s,
            client_id=f"doubting-{redelivery_window_s}",
        )
        assert wait_until(lambda: outbox.counts().sent == count, 60)
        took_s = time.monotonic() - began
        assert line.connections >= 3
        running.stop()
    return took_s


def test_on_a_line_that_flaps_new_reports_go_before_those_that_were_acknowledged(mosquitto, publisher, tmp_path):
    broker = mosquitto("max_queued_messages 100000").start()
    without_s = seconds_until_all_are_acknowledged(broker, publisher, tmp_path, 200, 0)
    with_s = seconds_until_all_are_acknowledged(broker, publisher, tmp_path, 200, 60)
    assert with_s <= 2 * without_s


def test_what_was_acknowledged_and_may_be_forgotten_is_sent_again_after_a_restart_of_the_device(
    mosquitto, publisher, outbox
):
    """The loss is written down: the broker was away when the device went off, for longer than its doubts reach back."""
    broker = mosquitto().start()
    (key,) = keep(outbox, 1)
    running = publisher(broker.port, redelivery_window_s=2)
    assert wait_until(lambda: outbox.counts().sent == 1)
    broker.kill()
    assert wait_until(lambda: outbox.awaiting_redelivery() == (key,))
    running.stop()
    time.sleep(2.1)
    broker.start()
    with Subscriber(broker.port, client_id="later") as subscriber:
        publisher(broker.port, redelivery_window_s=2)
        assert wait_until(lambda: subscriber.payloads("/report"))
    assert wait_until(lambda: outbox.awaiting_redelivery() == ())


def test_settings_that_call_the_window_by_its_old_name_are_read():
    old = MqttSettings.model_validate({"driver": "mqtt", "host": HOST, "doubt_s": 5})
    assert old.redelivery_window_s == MqttSettings(host=HOST, redelivery_window_s=5).redelivery_window_s == 5
