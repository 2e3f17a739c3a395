"""Reports over MQTT, against a real mosquitto: none is lost, and every trouble has a name."""

import contextlib
import json
import random
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from leukoscope.delivery import MqttSettings
from leukoscope.delivery.mqtt.backoff import Backoff
from leukoscope.doctor.broker import check_broker
from leukoscope.errors import BrokerError
from leukoscope.messages import status
from leukoscope.messages.json_format import to_bytes
from leukoscope.messages.report import decode
from leukoscope.outbox.cell_pictures import keep_pictures
from leukoscope.outbox.entry import REPORT, Counts, Key, State
from leukoscope.outbox.record_report import record
from leukoscope.specimen.census import CellPicture, CellRecord
from tests.brokers import HOST, Subscriber, free_port, program, wait_until
from tests.delivery.conftest import clock
from tests.messages.examples import IDENTITY, NOW, report

STATUS = IDENTITY.topic("status")
CONNACK = b"\x20\x03\x00\x00\x00"
ROOT = Path(__file__).parents[2]
DEVICE = """
import itertools, sys
from pathlib import Path
from random import Random
from leukoscope.delivery import MqttSettings
from leukoscope.outbox.store import Outbox
from leukoscope.outbox.cell_pictures import keep_pictures
from leukoscope.outbox.record_report import record
from tests.delivery.conftest import clock
from tests.messages.examples import IDENTITY, report
outbox = Outbox.open(Path(sys.argv[1]))
settings = MqttSettings(host="127.0.0.1", port=int(sys.argv[2]), in_flight=3)
publisher = settings.open(outbox, IDENTITY, now=clock, rng=Random(1))
publisher.start()
for number in itertools.count(int(sys.argv[3]) * 10_000):
    print(record(report(number), outbox, IDENTITY, now=clock).id, flush=True)
    publisher.wake()
"""


def keep(outbox, *numbers):
    return [record(report(number), outbox, IDENTITY, now=clock) for number in numbers]


def arrived(subscriber):
    """(id, version) of every report that arrived, without repetitions."""
    messages = [json.loads(payload) for payload in subscriber.payloads("/report")]
    return {(message["id"], message["version"]) for message in messages}


def statuses(subscriber):
    return [json.loads(payload) for payload in subscriber.payloads("/status")]


def error_of(publisher):
    assert wait_until(lambda: publisher.state.last_error), publisher.state
    return publisher.state.last_error


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_report_arrives_whole_and_is_marked_sent_when_acknowledged(mosquitto, publisher, outbox, protocol):
    broker = mosquitto().start()
    with Subscriber(broker.port) as subscriber:
        running = publisher(broker.port, protocol=protocol)
        keep(outbox, 1)
        running.wake()
        assert running.flush(5)
        assert wait_until(lambda: arrived(subscriber))
    ((topic, payload, retained),) = [m for m in subscriber.messages if m[0].endswith("/report")]
    assert (topic, retained) == ("leukoscope/v1/ward-3/scope-1/report", False)
    assert decode(payload) == report(1)
    assert wait_until(lambda: running.state.sent == 1)
    assert (running.state.connected, running.state.last_error) == (True, None)


def test_reports_kept_while_no_broker_is_there_arrive_when_it_appears(mosquitto, publisher, outbox):
    port = free_port()
    keys = keep(outbox, *range(25))
    running = publisher(port)
    assert error_of(running) == f"nothing listens at {HOST}:{port}: does the broker run, and is the port right?"
    assert (running.state.connected, running.state.pending) == (False, 25)
    broker = mosquitto(port=port).start()
    with Subscriber(broker.port) as subscriber:
        assert running.flush(8)
        # The first ones may have gone out before the subscriber was there: the broker says so.
        unheard = {(e.key.id, e.key.version) for e in outbox.list() if "nobody was subscribed" in e.note}
        assert wait_until(lambda: arrived(subscriber) | unheard >= {(key.id, key.version) for key in keys})
    assert running.state.last_error is None


def test_no_report_is_lost_when_the_broker_is_killed_again_and_again(mosquitto, publisher, outbox):
    broker = mosquitto().start()
    rng = random.Random(11)
    sent = set()
    with Subscriber(broker.port) as subscriber:
        running = publisher(broker.port, in_flight=3)
        for life in range(4):
            for number in range(12):
                (key,) = keep(outbox, life * 100 + number)
                sent.add((key.id, key.version))
                running.wake()
            time.sleep(rng.uniform(0.0, 0.1))
            broker.kill()
            (key,) = keep(outbox, life * 100 + 99)
            sent.add((key.id, key.version))
            broker.start()
        assert running.flush(15), running.state
        assert wait_until(lambda: arrived(subscriber) >= sent), sent - arrived(subscriber)
    assert outbox.counts() == Counts(pending=0, sent=len(sent), refused=0)


def test_no_report_is_lost_when_the_device_is_killed_amid_sending(mosquitto, publisher, outbox):
    broker = mosquitto().start()
    rng = random.Random(5)
    promised = set()
    with Subscriber(broker.port) as subscriber:
        for life in range(2):
            device = start_device(outbox, broker, life)
            first = device.stdout.readline()
            before = len(arrived(subscriber))
            assert wait_until(lambda before=before: len(arrived(subscriber)) > before)
            time.sleep(rng.uniform(0.0, 0.2))
            device.kill()
            promised |= {(line.strip(), 1) for line in [first, *device.stdout] if line.endswith("\n")}
            device.stdout.close()
            device.wait()
        assert publisher(broker.port).flush(8)
        assert wait_until(lambda: arrived(subscriber) >= promised), promised - arrived(subscriber)


def test_a_report_that_a_killed_broker_had_acknowledged_and_lost_is_sent_again(mosquitto, publisher, outbox):
    broker = mosquitto("autosave_interval 1800").start()
    keep(outbox, 1)
    with Subscriber(broker.port):
        running = publisher(broker.port, needs_reader=True)
        assert running.flush(5)
    broker.kill()
    broker.start()
    with Subscriber(broker.port, client_id="another") as subscriber:
        assert wait_until(lambda: arrived(subscriber) == {(report(1).id, 1)})
        assert running.flush(5)


def test_what_was_acknowledged_just_before_the_device_went_off_is_sent_again_and_older_things_are_not(
    mosquitto, publisher, outbox
):
    broker = mosquitto().start()
    fresh, old = keep(outbox, 1, 2)
    outbox.mark_sent(fresh, clock())
    outbox.mark_sent(old, clock() - timedelta(minutes=2))
    with Subscriber(broker.port) as subscriber:
        assert publisher(broker.port).flush(5)
        assert wait_until(lambda: arrived(subscriber))
    assert arrived(subscriber) == {(fresh.id, 1)}


def test_a_report_that_needs_a_reader_waits_for_one(mosquitto, publisher, outbox):
    broker = mosquitto().start()
    keep(outbox, 1)
    running = publisher(broker.port, needs_reader=True)
    assert "No matching subscribers" in error_of(running)
    assert running.state.pending == 1
    with Subscriber(broker.port) as subscriber:
        assert running.flush(8)
        assert wait_until(lambda: arrived(subscriber) == {(report(1).id, 1)})
    assert running.state.last_error is None


def test_pictures_of_cells_do_not_overtake_a_report_that_waits_for_a_reader(mosquitto, publisher, outbox):
    broker = mosquitto().start()
    picture = (CellRecord(1, 3, "blast", 0.75, (1, 2, 30, 40)), CellPicture(b"webp" * 20, 60, 70, 0.1))
    keep(outbox, 1)
    keep_pictures(report(1), [picture], outbox, IDENTITY, now=clock)
    running = publisher(broker.port, needs_reader=True)
    assert "No matching subscribers" in error_of(running)
    # Tried and put off again: by now a picture would long be on its way.
    assert wait_until(lambda: next(one for one in outbox.list() if one.key.kind == REPORT).attempts >= 3)
    assert {one.state for one in outbox.list()} == {State.PENDING}
    with Subscriber(broker.port) as subscriber:
        assert running.flush(8)
        assert wait_until(lambda: subscriber.payloads("/cell"))
    kinds = [topic.rpartition("/")[2] for topic, _, _ in subscriber.messages]
    assert kinds.index("report") < kinds.index("cell")


def test_a_report_the_broker_forbids_is_kept_with_the_reason_and_the_others_go_on(
    mosquitto, publisher, outbox, tmp_path
):
    rules = tmp_path / "rules"
    rules.write_text("topic readwrite leukoscope/v1/ward-3/scope-1/report\ntopic read #\n")
    broker = mosquitto(f"acl_file {rules}").start()
    outbox.put(Key("forbidden", 1, "report"), "elsewhere", b"{}", NOW)
    keep(outbox, 1, 2)
    with Subscriber(broker.port) as subscriber:
        running = publisher(broker.port)
        assert wait_until(lambda: len(arrived(subscriber)) == 2)
        assert running.flush(5)
        assert wait_until(lambda: running.state.refused == 1)
    (refused,) = outbox.list(State.REFUSED)
    assert refused.key.id == "forbidden"
    assert refused.note == "the broker refused it: Not authorized"
    assert running.state.sent == 2


def test_a_forbidden_status_topic_is_told_and_reports_still_go(mosquitto, publisher, outbox, tmp_path):
    rules = tmp_path / "rules"
    rules.write_text("topic write leukoscope/v1/ward-3/scope-1/report\n")
    broker = mosquitto(f"acl_file {rules}").start()
    keep(outbox, 1)
    running = publisher(broker.port)
    assert running.flush(5)
    assert error_of(running) == "the broker refused the birth message: Not authorized"
    assert running.state.connected


@pytest.mark.parametrize(
    ("limit", "protocol"),
    [("message_size_limit", "5"), ("max_packet_size", "5"), ("max_packet_size", "3.1.1")],
)
def test_a_report_too_large_for_the_broker_holds_nobody_up(mosquitto, publisher, outbox, limit, protocol):
    broker = mosquitto(f"{limit} 20000").start()
    outbox.put(Key("large", 1, "report"), "report", b"x" * 50_000, NOW)
    keys = keep(outbox, *range(5))
    with Subscriber(broker.port) as subscriber:
        running = publisher(broker.port, protocol=protocol)
        assert wait_until(lambda: arrived(subscriber) == {(key.id, key.version) for key in keys})
        later = keep(outbox, 77)
        assert wait_until(lambda: (later[0].id, 1) in arrived(subscriber))
        if protocol == "5":
            assert wait_until(lambda: running.state.refused == 1), outbox.pending(9)
    (large,) = [entry for entry in outbox.list() if entry.key.id == "large"]
    if protocol == "5":
        assert (large.state, "large" in large.note or "packets" in large.note) == (State.REFUSED, True)
    else:
        # MQTT 3.1.1 has no words for it: the report is tried again, alone, and stays.
        assert (large.state, large.attempts > 0) == (State.PENDING, True)


def test_a_topic_mqtt_cannot_carry_is_refused_at_once(mosquitto, publisher, outbox):
    broker = mosquitto().start()
    outbox.put(Key("odd", 1, "report"), "a/#", b"{}", NOW)
    keep(outbox, 1)
    running = publisher(broker.port)
    assert wait_until(lambda: (running.state.sent, running.state.refused) == (1, 1))
    assert "wildcards" in outbox.list(State.REFUSED)[0].note


def test_birth_and_offline_status_are_stored_at_the_broker_and_carry_one_number(mosquitto, publisher):
    broker = mosquitto().start()
    running = publisher(broker.port)
    with Subscriber(broker.port, STATUS, client_id="early") as early:
        assert wait_until(lambda: early.messages)
    with Subscriber(broker.port, STATUS) as subscriber:
        assert wait_until(lambda: subscriber.messages)
        assert subscriber.messages[0][2], "the birth must be there for clients that come later"
        running.stop()
        assert wait_until(lambda: len(subscriber.messages) == 2)
    birth, offline = statuses(subscriber)
    assert (birth["state"], birth["reason"]) == ("online", "connected")
    assert (offline["state"], offline["reason"]) == ("offline", "stopped")
    assert birth["session"] == offline["session"]
    assert not running.state.connected


def test_a_device_that_vanishes_leaves_a_will_with_the_number_of_its_birth(mosquitto, outbox):
    broker = mosquitto().start()
    with Subscriber(broker.port, STATUS) as subscriber:
        device = start_device(outbox, broker, 0)
        assert wait_until(lambda: subscriber.messages)
        device.kill()
        device.wait()
        device.stdout.close()
        assert wait_until(lambda: len(subscriber.messages) == 2)
    birth, will = statuses(subscriber)
    assert (will["state"], will["reason"]) == ("offline", "connection_lost")
    assert will["session"] == birth["session"]


def test_an_old_will_that_comes_late_does_not_have_the_last_word(mosquitto, publisher):
    broker = mosquitto().start()
    with Subscriber(broker.port, STATUS) as subscriber:
        publisher(broker.port)
        assert wait_until(lambda: subscriber.messages)
        session = statuses(subscriber)[0]["session"]
        old_will = to_bytes(status.last_will(IDENTITY, session=session - 1))
        subscriber.client.publish(STATUS, old_will, qos=1, retain=True)
        assert wait_until(lambda: len(subscriber.messages) >= 3)
        time.sleep(0.2)
    last = statuses(subscriber)[-1]
    assert (last["state"], last["session"]) == ("online", session)


def test_a_device_whose_outbox_was_lost_counts_on_from_what_the_broker_remembers(mosquitto, publisher):
    broker = mosquitto().start()
    with Subscriber(broker.port, STATUS) as subscriber:
        old = to_bytes(status.last_will(IDENTITY, session=2**40))
        subscriber.client.publish(STATUS, old, qos=1, retain=True).wait_for_publish(3)
        publisher(broker.port)
        assert wait_until(lambda: statuses(subscriber) and statuses(subscriber)[-1]["session"] == 2**40 + 1)
        assert statuses(subscriber)[-1]["state"] == "online"


def test_two_devices_of_one_name_are_told(mosquitto, publisher):
    broker = mosquitto().start()
    first = publisher(broker.port)
    assert wait_until(lambda: first.state.connected)
    second = publisher(broker.port, client_id="somebody-else")
    assert wait_until(lambda: second.state.connected)
    assert "another device calls itself ward-3/scope-1" in error_of(first)


def test_health_is_stored_at_the_broker(mosquitto, publisher):
    broker = mosquitto().start()
    running = publisher(broker.port)
    said: dict[str, Any] = {"at": NOW, "uptime_s": 5.0, "reports": {}, "faults": []}
    running.post_health(status.health(IDENTITY, measurements={"cpu_temperature_c": 50.0}, **said))
    with Subscriber(broker.port, IDENTITY.topic("health")) as subscriber:
        assert wait_until(lambda: subscriber.messages)
    assert json.loads(subscriber.messages[0][1])["measurements"] == {"cpu_temperature_c": 50.0}


def test_wrong_credentials_are_named_and_right_ones_in_the_file_are_taken_up(mosquitto, publisher, outbox, tmp_path):
    passwords = tmp_path / "passwords"
    make_passwords(passwords, "scope", "right")
    broker = mosquitto(f"allow_anonymous false\npassword_file {passwords}").start()
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    keep(outbox, 1)
    running = publisher(broker.port, username="scope", password_file=secret)
    assert "refused us: check username and password_file" in error_of(running)
    secret.write_text("right\n")
    assert running.flush(5), running.state


def test_a_missing_password_file_is_named(publisher, tmp_path):
    running = publisher(free_port(), username="scope", password_file=tmp_path / "nowhere")
    assert "password file" in error_of(running)
    assert "nowhere" in error_of(running)


def test_the_password_is_not_in_the_settings(tmp_path):
    (tmp_path / "secret").write_text("hunter2")
    settings = MqttSettings(host="broker", username="scope", password_file=tmp_path / "secret")
    assert "hunter2" not in settings.model_dump_json() + repr(settings)


def test_an_unknown_host_is_named(publisher):
    assert "no host is called broker.invalid" in error_of(publisher(1883, host="broker.invalid"))


def test_tls_against_a_broker_without_it_is_named(mosquitto, publisher):
    broker = mosquitto().start()
    assert "TLS" in error_of(publisher(broker.port, tls=True))


def test_tls_is_used_and_an_unknown_authority_is_named(mosquitto, publisher, outbox, tmp_path):
    certificate, private_key = make_certificate(tmp_path)
    broker = mosquitto(f"certfile {certificate}\nkeyfile {private_key}").start()
    keep(outbox, 1)
    stranger = publisher(broker.port, tls=True)
    assert "the certificate of" in error_of(stranger)
    assert "ca_file" in error_of(stranger)
    stranger.stop()
    running = publisher(broker.port, tls=True, ca_file=certificate)
    assert running.flush(5), running.state


def test_no_tls_against_a_broker_that_wants_it_is_named(mosquitto, publisher, tmp_path):
    certificate, private_key = make_certificate(tmp_path)
    broker = mosquitto(f"certfile {certificate}\nkeyfile {private_key}").start()
    assert "does it want tls?" in error_of(publisher(broker.port))


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x02\x00", b"\x20\xff\xff\xff\xff\x7f", b""]
)
def test_a_server_that_is_no_broker_is_named_and_the_thread_lives_on(publisher, answer):
    with server(answer) as fake:
        running = publisher(fake.port, connect_timeout_s=0.3)
        assert str(fake.port) in error_of(running)
        assert running._thread.is_alive()


def test_a_broker_that_never_acknowledges_is_left_and_tried_again(publisher, outbox):
    keep(outbox, 1)
    with server(CONNACK, hold=True) as fake:
        running = publisher(fake.port, ack_timeout_s=0.3)
        assert "did not acknowledge" in error_of(running)
        assert wait_until(lambda: outbox.pending(1)[0].attempts >= 2)
    assert outbox.counts().pending == 1


def test_a_message_that_went_unanswered_before_is_not_sent_together_with_others(publisher, outbox):
    suspect, other = keep(outbox, 1, 2)
    outbox.mark_unanswered([suspect], "lost")
    outbox.mark_unanswered([suspect], "lost")
    with server(CONNACK, hold=True) as fake:
        publisher(fake.port)
        assert wait_until(lambda: other.id.encode() in fake.received)
        time.sleep(0.3)
        assert suspect.id.encode() not in fake.received


def test_a_message_that_went_unanswered_before_is_still_sent_when_it_is_alone(mosquitto, publisher, outbox):
    (suspect,) = keep(outbox, 1)
    for _ in range(5):
        outbox.mark_unanswered([suspect], "lost")
    assert publisher(mosquitto().start().port).flush(5)


@pytest.mark.parametrize(
    ("code", "words"),
    [(b"\x8e", "do two devices share a name?"), (b"\x8b", "Server shutting down: the broker")],
)
def test_the_brokers_goodbye_is_put_into_words(publisher, code, words):
    with server(CONNACK + b"\xe0\x01" + code, hold=True) as fake:
        assert words in error_of(publisher(fake.port))


@pytest.mark.parametrize(
    ("code", "state"),
    [
        pytest.param(b"\x80", State.PENDING, id="unspecified error"),
        pytest.param(b"\x83", State.PENDING, id="implementation specific error"),
        pytest.param(b"\x91", State.PENDING, id="packet identifier in use"),
        pytest.param(b"\x97", State.PENDING, id="quota exceeded"),
        pytest.param(b"\x87", State.REFUSED, id="not authorized"),
        pytest.param(b"\x90", State.REFUSED, id="topic name invalid"),
        pytest.param(b"\x99", State.REFUSED, id="payload format invalid"),
    ],
)
def test_a_refusal_that_may_pass_is_tried_again_and_one_that_will_not_is_kept(publisher, outbox, code, state):
    """All reasons that MQTT 5 has for a PUBACK; a fake answers, for no broker says most of them when asked to."""
    keep(outbox, 1)
    # The birth is number 2 after the subscription, the report number 3.
    answers = CONNACK + b"\x90\x04\x00\x01\x00\x00" + b"\x40\x02\x00\x02"
    with server(answers, b"\x40\x04\x00\x03" + code + b"\x00", hold=True) as fake:
        running = publisher(fake.port)
        assert wait_until(lambda: outbox.list()[0].note)
        assert wait_until(lambda: running.state.last_error)
    assert outbox.list()[0].state is state


def test_an_outbox_that_fails_is_told_and_sending_goes_on_when_it_works_again(mosquitto, publisher, outbox):
    broker = mosquitto().start()
    running = publisher(broker.port)
    assert wait_until(lambda: running.state.connected)
    outbox._connection.execute("ALTER TABLE message RENAME TO hidden")
    running.wake()
    assert wait_until(lambda: "no such table" in (running.state.last_error or ""))
    assert not running.flush(0.1)
    outbox._connection.execute("ALTER TABLE hidden RENAME TO message")
    keep(outbox, 1)
    assert running.flush(5)
    assert wait_until(lambda: running.state.connected)


def test_a_surprise_inside_the_thread_is_told_and_does_not_end_it(mosquitto, publisher, outbox, caplog):
    broker = mosquitto().start()
    running = publisher(broker.port)
    assert wait_until(lambda: running.state.connected)
    working, running._count = running._count, lambda: 1 / 0
    running.wake()
    assert wait_until(lambda: "ZeroDivisionError" in (running.state.last_error or ""))
    running._count = working
    keep(outbox, 1)
    assert running.flush(5)
    assert "unforeseen error" in caplog.text


def test_a_stopped_publisher_ends_quickly_even_without_a_broker(publisher):
    running = publisher(free_port(), first_retry_s=60, longest_retry_s=60)
    assert error_of(running)
    before = time.monotonic()
    running.stop()
    running.stop()
    assert time.monotonic() - before < 1
    assert not any(thread.name == "reporting-mqtt" for thread in threading.enumerate())


def test_an_attempt_that_reached_nobody_uses_no_session_number_up(publisher, outbox):
    running = publisher(free_port(), first_retry_s=0.01, longest_retry_s=0.02)
    assert error_of(running)
    time.sleep(0.3)
    running.stop()
    (used,) = outbox._connection.execute("SELECT value FROM counter WHERE name = 'session'").fetchone()
    assert outbox.next_session(NOW) == used + 1


def test_the_doctor_tries_a_broker_beside_a_running_device(mosquitto, publisher):
    broker = mosquitto().start()
    running = publisher(broker.port)
    assert wait_until(lambda: running.state.connected)
    settings = MqttSettings(host=HOST, port=broker.port)
    assert f"{HOST}:{broker.port} answers, MQTT 5, no TLS" in check_broker(settings, IDENTITY)
    assert running.state.connected
    with pytest.raises(BrokerError, match="nothing listens"):
        check_broker(MqttSettings(host=HOST, port=free_port()), IDENTITY)


def test_waits_double_up_to_the_limit_and_are_spread():
    waits = [Backoff(1.0, 60.0, random.Random(seed)) for seed in range(50)]
    for whole_s in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0):
        delays = [backoff.next_s() for backoff in waits]
        assert whole_s / 2 <= min(delays) < max(delays) <= whole_s
        assert len(set(delays)) == 50
    for _ in range(2000):
        waits[0].next_s()
    waits[0].reset()
    assert waits[0].next_s() <= 1.0


@pytest.mark.parametrize(
    "settings",
    [
        {"host": ""},
        {"host": "b", "port": 0},
        {"host": "b", "password": "secret"},
        {"host": "b", "password_file": "p"},
        {"host": "b", "tls": True, "client_cert": "c"},
        {"host": "b", "ca_file": "c"},
        {"host": "b", "topic_root": "a/#"},
        {"host": "b", "topic_root": "a\n"},
        {"host": "b", "protocol": "4"},
    ],
)
def test_settings_that_cannot_work_are_refused(settings):
    with pytest.raises(ValidationError):
        MqttSettings(**settings)


def test_the_port_follows_tls_unless_it_is_given():
    assert MqttSettings(host="b").address_port == 1883
    assert MqttSettings(host="b", tls=True).address_port == 8883
    assert MqttSettings(host="b", tls=True, port=1).address_port == 1


def start_device(outbox, broker, life):
    """A device in a process of its own, sending without end."""
    command = [sys.executable, "-c", DEVICE, outbox.path, str(broker.port), str(life)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def make_passwords(path, user, password):
    command = [program("mosquitto_passwd"), "-b", "-c", path, user, password]
    subprocess.run(command, check=True, capture_output=True)


def make_certificate(folder):
    """A certificate for this machine that is its own authority, and its key."""
    certificate, private_key = folder / "cert.pem", folder / "key.pem"
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    names = ["-addext", f"subjectAltName=IP:{HOST}"]
    files = ["-keyout", private_key, "-out", certificate]
    subprocess.run([program("openssl"), *request.split(), *names, *files], check=True, capture_output=True)
    return certificate, private_key


class Fake:
    """What a fake broker has heard, and where."""

    def __init__(self, port):
        self.port = port
        self.received = b""


@contextlib.contextmanager
def server(*answers, hold=False):
    """A TCP server that gives one answer after another to whatever it is asked, and then hangs up.

    Made to hold, it goes on listening without another word instead.
    """
    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(0.1)
        fake = Fake(listener.getsockname()[1])
        ended = threading.Event()

        def converse(connection):
            connection.settimeout(0.1)
            left = list(answers)
            while not ended.is_set() and (left or hold):
                try:
                    heard = connection.recv(100_000)
                except TimeoutError:
                    continue
                if not heard:
                    return
                fake.received += heard
                if left:
                    connection.sendall(left.pop(0))

        def serve():
            while not ended.is_set():
                with contextlib.suppress(OSError):
                    connection, _ = listener.accept()
                    with connection:
                        converse(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield fake
        finally:
            ended.set()
            thread.join()
