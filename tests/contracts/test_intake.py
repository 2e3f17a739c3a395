"""What every intake promises, whatever broker it takes from."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from leukoscope.errors import BrokerError
from leukoscope_collector.intake import Delivery, Intake, Share
from leukoscope_collector.intake.amqp import AmqpIntakeSettings
from leukoscope_collector.intake.mqtt import MqttIntakeSettings
from tests.brokers import HOST, Mosquitto, free_port
from tests.clusters import SHARE, SPEAKER
from tests.collector.running import Device

pytestmark = pytest.mark.timeout(900)
REPORT = f"leukoscope/v1/{SPEAKER}/report"


@dataclass
class Bench:
    """A broker, a client that publishes to it, and a way to take from it."""

    device: Callable[[], Device]
    settings: Callable[[str], Any]
    """Of a collector of this name."""
    nowhere: Any
    """Settings of a broker that is not there."""
    made: list[Intake] = field(default_factory=list)

    def open(self, name: str = "collector-1", **share: Any) -> Intake:
        self.made.append(self.settings(name).open(replace(SHARE, name=name, **share), lambda: False))
        return self.made[-1]

    def publish(self, *payloads: bytes, topic: str = REPORT) -> None:
        with self.device() as device:
            for payload in payloads:
                device.publish(payload, topic)


@pytest.fixture(params=["mosquitto", "rabbitmq"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "mosquitto":
        broker = Mosquitto(tmp_path / "mosquitto", "max_inflight_messages 0").start()
        made = Bench(
            lambda: Device(broker.port),
            lambda name: MqttIntakeSettings(host=HOST, port=broker.port, connect_timeout_s=5),
            MqttIntakeSettings(host=HOST, port=free_port(), connect_timeout_s=2),
        )
    else:
        cluster = request.getfixturevalue("broker_cluster")
        cluster.drain()
        made = Bench(
            cluster.device,
            lambda name: cluster.broker_of(name).nodes()[0],
            AmqpIntakeSettings(driver="amqp", host=HOST, port=free_port(), connect_timeout_s=2),
        )
    yield made
    for intake in made.made:
        intake.close()
    if request.param == "mosquitto":
        broker.kill()


def take(intake: Intake, most: int, within_s: float = 8.0) -> list[Delivery]:
    """Up to `most`, as soon as they are there; fewer when the time ran out."""
    taken: list[Delivery] = []
    until = time.monotonic() + within_s
    while len(taken) < most and time.monotonic() < until:
        intake.poll(0.05)
        taken += intake.take(most - len(taken))
    return taken


def payloads(deliveries: list[Delivery]) -> set[bytes]:
    return {one.payload for one in deliveries}


def test_what_a_device_says_comes_with_its_topic_and_its_bytes_in_order(bench):
    intake = bench.open()
    said = [b"\x00\xff", b"{}", "größer".encode()]
    bench.publish(*said)
    assert [(one.topic, one.payload) for one in take(intake, 3)] == [(REPORT, one) for one in said]


@pytest.mark.parametrize("kind", ["report", "status", "health", "cell", "result"])
def test_every_kind_of_message_is_taken(bench, kind):
    intake = bench.open()
    bench.publish(b"{}", topic=f"leukoscope/v1/{SPEAKER}/{kind}")
    assert [one.topic for one in take(intake, 1)] == [f"leukoscope/v1/{SPEAKER}/{kind}"]


def test_two_collectors_compete_and_each_message_goes_to_one_of_them(bench):
    first, second = bench.open("collector-1"), bench.open("collector-2")
    bench.publish(*(str(number).encode() for number in range(20)))
    until = time.monotonic() + 8
    taken: dict[str, list[bytes]] = {"first": [], "second": []}
    while sum(map(len, taken.values())) < 20 and time.monotonic() < until:
        for name, intake in (("first", first), ("second", second)):
            intake.poll(0.02)
            batch = intake.take(100)
            intake.acknowledge(batch)
            taken[name] += [one.payload for one in batch]
    assert sorted(taken["first"] + taken["second"], key=int) == [str(number).encode() for number in range(20)]
    assert taken["first"]
    assert taken["second"]


def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(bench):
    intake = bench.open()
    bench.publish(b"stored", b"lost 1", b"lost 2")
    batch = take(intake, 3)
    assert [one.payload for one in batch] == [b"stored", b"lost 1", b"lost 2"]
    intake.acknowledge(batch[:1])
    intake.poll(0.1)
    # As when the collector is killed: no goodbye.
    intake.close()
    again = bench.open()
    batch = take(again, 2)
    assert payloads(batch) == {b"lost 1", b"lost 2"}
    again.acknowledge(batch)
    assert take(again, 1, within_s=0.5) == []
    again.leave()
    again.close()
    assert take(bench.open(), 1, within_s=0.5) == []


def test_what_arrives_while_no_collector_is_there_waits(bench):
    first = bench.open()
    first.leave()
    first.close()
    bench.publish(b"waited")
    assert payloads(take(bench.open(), 1)) == {b"waited"}


def test_no_more_than_the_receive_maximum_is_handed_out_unacknowledged(bench):
    intake = bench.open(receive_maximum=3)
    bench.publish(*(str(number).encode() for number in range(7)))
    batch = take(intake, 3)
    assert len(batch) == 3
    assert take(intake, 1, within_s=0.5) == []
    intake.acknowledge(batch)
    rest = take(intake, 3)
    intake.acknowledge(rest)
    rest += take(intake, 1)
    assert payloads(batch + rest) == {str(number).encode() for number in range(7)}


def test_waiting_counts_what_came_and_was_not_taken(bench):
    intake = bench.open()
    bench.publish(b"1", b"2")
    until = time.monotonic() + 8
    while intake.waiting < 2 and time.monotonic() < until:
        intake.poll(0.05)
    assert intake.waiting == 2
    intake.take(1)
    assert intake.waiting == 1


def test_a_broker_that_is_not_there_is_one_line_that_names_it(bench):
    with pytest.raises(BrokerError) as caught:
        bench.nowhere.open(Share("collector-1", "collectors", "leukoscope/v1", 10, 60), lambda: False)
    assert bench.nowhere.where in str(caught.value)
    assert "\n" not in str(caught.value)


def test_closing_twice_does_no_harm(bench):
    intake = bench.open()
    intake.close()
    intake.close()
