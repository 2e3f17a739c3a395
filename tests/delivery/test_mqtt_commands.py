"""Commands and late reports over a real mosquitto."""

import json
import threading
from datetime import timedelta

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from leukoscope.messages.command import CommandName, Outcome
from leukoscope.messages.identity import Identity
from leukoscope.outbox.cell_pictures import keep_pictures
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.entry import CELL, Counts
from leukoscope.outbox.record_report import record
from leukoscope.specimen.census import CellPicture, CellRecord
from tests.brokers import HOST, Subscriber, wait_until
from tests.delivery.conftest import clock
from tests.messages.examples import IDENTITY, report
from tests.messages.test_commands import command

COMMAND = IDENTITY.topic("command")


@pytest.fixture
def heard(outbox):
    return CommandInbox(outbox, IDENTITY, tuple(CommandName), now=clock, clock_quality=lambda: True)


def results(subscriber):
    return [json.loads(payload) for payload in subscriber.payloads("/result")]


def pictures(count):
    picture = CellPicture(b"w" * 6000, 60, 70, 0.1)
    return [(CellRecord(number, 3, "blast", 0.75, (1, 2, 30, 40)), picture) for number in range(1, count + 1)]


def test_an_answer_goes_to_its_sender_with_what_he_knows_it_by(mosquitto, publisher, heard):
    broker = mosquitto().start()
    running = publisher(broker.port, commands=heard)
    assert wait_until(lambda: running.state.connected)
    answers, subscribed = [], threading.Event()
    sender = paho.Client(CallbackAPIVersion.VERSION2, "sender", protocol=MQTTProtocolVersion.MQTTv5)
    sender.on_subscribe = lambda *rest: subscribed.set()
    sender.on_message = lambda client, data, message: answers.append(message)
    sender.connect(HOST, broker.port)
    sender.loop_start()
    try:
        sender.subscribe([("lab/answers", SubscribeOptions(1)), (IDENTITY.topic("result"), SubscribeOptions(1))])
        assert subscribed.wait(5)
        asked = Properties(PacketTypes.PUBLISH)
        asked.ResponseTopic = "lab/answers"
        asked.CorrelationData = b"\x00\x07"
        sender.publish(COMMAND, command(issued=clock()), qos=1, properties=asked)
        assert wait_until(heard.take)
        heard.answer(heard.take(), Outcome("done", "so it is"))
        assert wait_until(lambda: len(answers) == 2)
    finally:
        sender.disconnect()
        sender.loop_stop()
    assert {answer.topic for answer in answers} == {"lab/answers", IDENTITY.topic("result")}
    assert {answer.properties.CorrelationData for answer in answers} == {b"\x00\x07"}
    assert answers[0].payload == answers[1].payload


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_repetitions_rubbish_and_large_messages_are_answered_and_break_nothing(
    mosquitto, publisher, outbox, heard, protocol
):
    broker = mosquitto().start()
    with Subscriber(broker.port) as subscriber:
        running = publisher(broker.port, commands=heard, protocol=protocol)
        assert wait_until(lambda: running.state.connected)
        asked = command(issued=clock())
        for payload in (asked, asked, b"rubbish", b"", command(by="x" * 9000), b"x" * 40_000):
            subscriber.client.publish(COMMAND, payload, qos=1)
        # The repetition came before the rubbish: once that is answered, both were heard.
        assert wait_until(lambda: len(results(subscriber)) == 4)
        heard.answer(heard.take(), Outcome("done", "so it is"))
        subscriber.client.publish(COMMAND, asked, qos=1)
        assert wait_until(lambda: len(results(subscriber)) == 6)
        record(report(1), outbox, IDENTITY, now=clock)
        assert running.flush(5)
    got = [(result["outcome"], result["reason"]) for result in results(subscriber)]
    assert sorted(got, key=str) == sorted(
        [("done", None)] * 2 + [("refused", "malformed")] * 2 + [("refused", "oversize")] * 2, key=str
    )
    assert running.state.connected


def test_what_is_far_too_large_is_not_even_delivered(mosquitto, publisher, heard):
    broker = mosquitto().start()
    with Subscriber(broker.port) as subscriber:
        running = publisher(broker.port, commands=heard)
        assert wait_until(lambda: running.state.connected)
        subscriber.client.publish(COMMAND, b"x" * 10_000_000, qos=1)
        subscriber.client.publish(COMMAND, b"small rubbish", qos=1)
        assert wait_until(lambda: results(subscriber))
    assert [result["reason"] for result in results(subscriber)] == ["malformed"]
    assert running.state.connected


def test_a_retained_command_is_refused_at_every_connection(mosquitto, publisher, heard):
    broker = mosquitto().start()
    with Subscriber(broker.port) as subscriber:
        subscriber.client.publish(COMMAND, command(issued=clock()), qos=1, retain=True).wait_for_publish(5)
        publisher(broker.port, commands=heard)
        assert wait_until(lambda: results(subscriber))
    assert results(subscriber)[0]["reason"] == "retained"
    assert heard.take() is None


def test_a_result_that_comes_without_a_broker_is_told_when_there_is_one_again(mosquitto, publisher, heard):
    broker = mosquitto().start()
    with Subscriber(broker.port) as subscriber:
        running = publisher(broker.port, commands=heard)
        assert wait_until(lambda: running.state.connected)
        subscriber.client.publish(COMMAND, command(issued=clock()), qos=1)
        assert wait_until(heard.take)
        broker.kill()
        assert wait_until(lambda: not running.state.connected)
        heard.answer(heard.take(), Outcome("done", "so it is"))
        broker.start()
        assert wait_until(lambda: results(subscriber))
    assert results(subscriber)[0]["outcome"] == "done"


def test_a_device_that_takes_no_commands_does_not_listen(mosquitto, publisher):
    broker = mosquitto().start()
    with Subscriber(broker.port) as subscriber:
        running = publisher(broker.port)
        assert wait_until(lambda: running.state.connected)
        subscriber.client.publish(COMMAND, b"rubbish", qos=1)
        running.stop()
        assert wait_until(lambda: len(subscriber.payloads("/status")) == 2)
    assert results(subscriber) == []


def test_what_is_sent_long_after_it_was_made_is_called_historical(mosquitto, publisher, outbox):
    broker = mosquitto().start()
    other_boot = Identity("ward-3", "scope-1", "0.1.0", "boot-0")
    record(report(1), outbox, IDENTITY, now=clock)
    record(report(2), outbox, IDENTITY, now=lambda: clock() - timedelta(minutes=6))
    record(report(3), outbox, other_boot, now=clock)
    record(report(4), outbox, IDENTITY, now=lambda: clock() + timedelta(hours=1))
    keep_pictures(report(2), pictures(1), outbox, IDENTITY, now=lambda: clock() - timedelta(minutes=6))
    with Subscriber(broker.port) as subscriber:
        publisher(broker.port)
        assert wait_until(lambda: len(subscriber.payloads("/report")) == 4 and subscriber.payloads("/cell"))
    got = {}
    for payload in subscriber.payloads("/report"):
        message = json.loads(payload)
        got[message["id"]] = message["envelope"]["historical"]
    assert got == {report(1).id: False, report(2).id: True, report(3).id: True, report(4).id: True}
    assert json.loads(subscriber.payloads("/cell")[0])["envelope"]["historical"]
    # What is kept is what was said when it was made; the trail vouches for it.
    assert all(b'"historical":false' in entry.payload for entry in outbox.list())


def test_pictures_of_cells_follow_the_report_and_never_hold_one_up(mosquitto, publisher, outbox):
    broker = mosquitto().start()
    keep_pictures(report(1), pictures(40), outbox, IDENTITY, now=clock)
    for number in range(1, 6):
        record(report(number), outbox, IDENTITY, now=clock)
    with Subscriber(broker.port) as subscriber:
        running = publisher(broker.port, in_flight=3)
        assert wait_until(lambda: len(subscriber.payloads("/cell")) == 40)
        kinds = [topic.rpartition("/")[2] for topic, _, _ in subscriber.messages if not topic.endswith("status")]
    assert kinds == ["report"] * 5 + ["cell"] * 40
    assert wait_until(lambda: running.state.pending == 0)
    assert wait_until(lambda: outbox.counts(CELL) == Counts(pending=0, sent=40, refused=0))


def test_pictures_wait_with_a_report_that_waits_for_a_reader(mosquitto, publisher, outbox):
    broker = mosquitto().start()
    record(report(1), outbox, IDENTITY, now=clock)
    keep_pictures(report(1), pictures(3), outbox, IDENTITY, now=clock)
    running = publisher(broker.port, needs_reader=True)
    assert wait_until(lambda: outbox.list(kind="report")[0].attempts > 2)
    assert outbox.counts(CELL) == Counts(pending=3, sent=0, refused=0)
    with Subscriber(broker.port) as subscriber:
        assert running.flush(8)
        assert wait_until(lambda: len(subscriber.payloads("/cell")) == 3)


def test_pictures_and_answers_that_nobody_reads_are_no_trouble(mosquitto, publisher, outbox, heard):
    broker = mosquitto().start()
    record(report(1), outbox, IDENTITY, now=clock)
    keep_pictures(report(1), pictures(3), outbox, IDENTITY, now=clock)
    with Subscriber(broker.port, IDENTITY.topic("report")) as subscriber:
        heard.receive(command(issued=clock(), name="dance"))
        running = publisher(broker.port, needs_reader=True, commands=heard)
        assert wait_until(lambda: outbox.counts(CELL) == Counts(pending=0, sent=3, refused=0))
        # The broker acknowledges before it forwards: what was acknowledged may still be on its way here.
        assert wait_until(lambda: len(subscriber.payloads("/report")) == 1)
    assert {entry.note for entry in outbox.list(kind=CELL)} == {"acknowledged, but nobody was subscribed to it"}
    assert running.state.last_error is None


def test_a_report_goes_before_pictures_that_wait_however_old_they_are(outbox):
    keep_pictures(report(1), pictures(3), outbox, IDENTITY, now=clock)
    record(report(2), outbox, IDENTITY, now=clock)
    assert [entry.key.kind for entry in outbox.pending(9)] == ["report", "cell", "cell", "cell"]
    outbox.mark_unanswered([outbox.pending(1)[0].key], "lost")
    assert [entry.key.kind for entry in outbox.pending(9)] == ["report", "cell", "cell", "cell"]


def test_waiting_pictures_are_no_waiting_reports(outbox):
    keep_pictures(report(1), pictures(3), outbox, IDENTITY, now=clock)
    assert outbox.counts().pending == 0
    assert outbox.counts(CELL).pending == 3


def test_of_a_burst_of_commands_each_is_answered_also_when_the_results_come_while_the_broker_is_away(
    mosquitto, publisher, heard
):
    broker = mosquitto("max_queued_messages 10000").start()
    with Subscriber(broker.port) as subscriber:
        running = publisher(broker.port, commands=heard)
        assert wait_until(lambda: running.state.connected)
        for _ in range(20):
            subscriber.client.publish(COMMAND, b"rubbish", qos=1)
        for number in range(150):
            asked = command(issued=clock(), identifier=f"order-{number}")
            subscriber.client.publish(COMMAND, asked, qos=1)
        assert wait_until(lambda: len(heard._waiting) == 150, 20)
        broker.stop()
        assert wait_until(lambda: not running.state.connected)
        while order := heard.take():
            heard.answer(order, Outcome("done", "so it is"))
        broker.start()
        assert wait_until(lambda: len({got["command"] for got in results(subscriber)}) >= 151, 20)
        assert sum(got["command"] is None for got in results(subscriber)) >= 20
