"""Three RabbitMQ nodes as they were provisioned: who may do what, and what an acknowledgement is worth."""

import contextlib
import time
from dataclasses import replace

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from leukoscope.errors import BrokerError
from leukoscope_collector.collector_settings import CollectorSettings
from leukoscope_collector.intake.amqp import DEAD_LETTER_QUEUE
from leukoscope_collector.sqlite_store import SqliteSettings
from tests.brokers import wait_until
from tests.clusters import LEAVER, OTHER, SHARE, SPEAKER, ClusterBench
from tests.collector.running import Device, Running, id_of, message, stored

# Starting three nodes takes 20 s on a desk that has nothing else to do, and minutes on one that has.
pytestmark = pytest.mark.timeout(900)
REPORT = f"leukoscope/v1/{SPEAKER}/report"


@pytest.fixture
def bench(broker_cluster: ClusterBench) -> ClusterBench:
    """All nodes are up and nothing waits."""
    broker_cluster.drain()
    return broker_cluster


def refused(device: Device, payload: bytes, topic: str) -> bool:
    """Whether the broker hangs up, which is how MQTT 3.1.1 refuses."""
    device.client.publish(topic, payload, qos=1)
    return wait_until(lambda: not device.client.is_connected(), timeout_s=5)


@pytest.mark.parametrize(
    ("holder", "topic"),
    [
        (SPEAKER, f"leukoscope/v1/{OTHER}/report"),
        (SPEAKER, f"leukoscope/v1/{SPEAKER}/command"),
        (SPEAKER, "leukoscope/v1/ward-3.scope-2/report"),
        (SPEAKER, f"leukoscope/v1/{SPEAKER}/report/more"),
        ("ward", REPORT),
        ("collector-1", REPORT),
    ],
)
def test_what_is_not_the_holders_to_say_is_refused_and_nobody_hears_it(bench, holder, topic):
    with bench.device(holder) as device:
        assert refused(device, b"forged", topic)
    with bench.device(SPEAKER) as device:
        device.publish(b"own", REPORT)
    assert bench.drain() == [(REPORT, b"own")]


def test_a_device_cannot_leave_a_will_under_anothers_name(bench):
    device = bench.device(SPEAKER)
    device.client.disconnect()
    device.client.will_set(f"leukoscope/v1/{OTHER}/status", b"forged", qos=1)
    with contextlib.suppress(OSError):
        device.client.reconnect()
    device.client.loop_start()
    wait_until(device.client.is_connected, timeout_s=2)
    # No goodbye: the broker publishes the will.
    device.client.socket().close()
    device.client.loop_stop()
    time.sleep(1)
    assert bench.drain() == []


def test_the_administrator_whom_a_new_rabbitmq_brings_is_gone(bench):
    assert "guest" not in bench.cluster.control("list_users")
    settings = bench.mqtt_settings(SPEAKER)
    with (
        pytest.raises(AssertionError),
        Device(
            settings.address_port,
            "x",
            tls=settings.tls_context(),
            protocol=MQTTProtocolVersion.MQTTv311,
            username="guest",
            password="guest",
        ),
    ):
        pass


def test_a_device_takes_nothing_from_the_queue_and_a_collector_writes_nothing(bench):
    for queue in (bench.broker_of().queue, DEAD_LETTER_QUEUE):
        at = bench.holders[SPEAKER]
        login = {"client_cert": at / "cert.pem", "client_key": at / "key.pem", "queue": queue}
        settings = bench.broker_of().nodes()[0].model_copy(update=login)
        with pytest.raises(BrokerError, match="refuses the queue"):
            settings.open(SHARE, lambda: False)


def test_an_operator_commands_the_device_it_names_and_no_other_hears_it(bench):
    heard = []
    with bench.device(SPEAKER) as device, bench.device(OTHER, node=1) as other, bench.device("ward", node=2) as ward:
        for listener, name in ((device, SPEAKER), (other, OTHER)):
            listener.client.on_message = lambda client, data, said, name=name: heard.append((name, said.topic))
            assert listener.subscribe(f"leukoscope/v1/{name}/command")
        ward.publish(b"{}", f"leukoscope/v1/{OTHER}/command")
        assert wait_until(lambda: heard)
    assert heard == [(OTHER, f"leukoscope/v1/{OTHER}/command")]


def test_a_device_that_is_revoked_while_connected_is_cut_off_on_every_node(bench):
    with contextlib.ExitStack() as stack:
        # Under three client ids, since a second connection under one ends the first.
        leavers = [
            stack.enter_context(bench.device(LEAVER, node=node, client_id=f"leaver-{node}"))
            for node in range(len(bench.nodes))
        ]
        stays = stack.enter_context(bench.device(SPEAKER, node=2))
        # The tls_context has read the files: what is in its folder goes with the certificate.
        bench.site.revoke(LEAVER)
        bench.site.write_cluster(disk_free="50MB")
        began = time.monotonic()
        bench.cluster.apply()
        assert wait_until(lambda: not any(one.client.is_connected() for one in leavers), timeout_s=60)
        assert time.monotonic() - began < 60
        for _ in range(3):
            assert not wait_until(lambda: any(one.client.is_connected() for one in leavers), timeout_s=1)
        assert stays.publish(b"still here", REPORT) == "Success"
    assert [payload for _, payload in bench.drain()] == [b"still here"]


def test_what_is_handed_out_again_and_again_makes_room_and_is_stored_from_the_dead_letters(bench, tmp_path):
    with bench.device(SPEAKER) as device:
        device.publish(message(1), REPORT)
        device.publish(message(2), REPORT)
    intake = bench.intake(share=replace(SHARE, receive_maximum=1))
    handed_out = 0
    while True:
        intake.poll(0.2)
        if not (batch := intake.take(1)):
            continue
        if batch[0].payload == message(2):
            break
        # As by a collector that ends each time before it has stored the message.
        intake._channel.basic_nack(batch[0].tag, requeue=True)
        handed_out += 1
    assert handed_out in (200, 201)
    intake.acknowledge(batch)
    intake.close()
    assert bench.drain() == []
    broker = bench.broker_of().model_copy(update={"queue": DEAD_LETTER_QUEUE})
    store = SqliteSettings(driver="sqlite", file=tmp_path / "reports.sqlite3")
    running = Running(CollectorSettings(name="collector-1", broker=broker, store=store))
    try:
        assert wait_until(lambda: stored(store) == {(id_of(1), 1)}, timeout_s=30)
    finally:
        running.stop()


def test_what_is_acknowledged_while_a_node_is_down_is_on_both_others(bench):
    first, second, third = bench.cluster.nodes
    third.kill()
    with bench.device(SPEAKER, node=0) as device:
        for number in range(20):
            assert device.publish(str(number).encode(), REPORT) == "Success"
    # The node that acknowledged is lost, and the one that comes back has seen none of it.
    first.kill()
    third.start()
    bench.cluster.wait_until_up([second, third])
    took = bench.drain()
    assert [payload for _, payload in took] == [str(number).encode() for number in range(20)]
    # One node of three acknowledges nothing: the report stays with the device.
    third.kill()
    with contextlib.suppress(AssertionError, OSError), bench.device(SPEAKER, node=1) as device:
        info = device.client.publish(REPORT, b"unanswered", qos=1)
        assert not wait_until(lambda: info.mid in device.reasons, timeout_s=3)
    for node in (first, third):
        node.start()
    bench.cluster.wait_until_up()
