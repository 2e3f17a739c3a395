"""A broker that takes the connection and fails then: one line names it, and the collector tries the next node."""

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from leukoscope.errors import BrokerError
from leukoscope_collector.collector import Collector
from leukoscope_collector.collector_settings import CollectorSettings
from leukoscope_collector.intake.amqp import AmqpIntakeSettings
from leukoscope_collector.intake.mqtt import MqttIntakeSettings
from leukoscope_collector.metrics import Metrics
from tests.brokers import HOST, wait_until
from tests.clusters import SHARE
from tests.collector.running import now

ANSWERS: dict[str, Callable[[socket.socket], None]] = {
    # As a node whose process is stopped: the kernel takes the connection.
    "says nothing": lambda client: None,
    "hangs up": lambda client: client.close(),
    "speaks another protocol": lambda client: client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "begins AMQP and says nothing more": lambda client: client.sendall(b"\x01\x00\x00"),
    "sends an impossible frame": lambda client: client.sendall(b"\x01\x00\x00\x00\x00\x00\x04\xff\xff\xff\xff\xce" * 9),
}


class FailingBroker:
    """Takes connections and answers each in one way."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self._server = socket.create_server((HOST, 0))
        self.port = self._server.getsockname()[1]
        self.connections = 0
        self._answer = answer
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.recv(1)
            self._answer(client)
            while client.fileno() >= 0 and client.recv(1000):
                pass

    def close(self) -> None:
        self._server.close()


@pytest.fixture(params=list(ANSWERS))
def broker(request: pytest.FixtureRequest) -> Iterator[FailingBroker]:
    made = FailingBroker(ANSWERS[request.param])
    yield made
    made.close()


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("driver", ["amqp", "mqtt"])
def test_a_broker_that_fails_while_a_collector_connects_is_one_line_that_names_it(broker, driver, tls):
    where = {"host": HOST, "port": broker.port, "tls": tls, "connect_timeout_s": 0.5}
    settings = AmqpIntakeSettings(driver="amqp", **where) if driver == "amqp" else MqttIntakeSettings(**where)
    began = time.monotonic()
    with pytest.raises(BrokerError) as caught:
        settings.open(SHARE, lambda: False)
    assert settings.where in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 4


def test_a_collector_goes_from_node_to_node_until_one_answers(broker: FailingBroker, tmp_path: Path):
    other = FailingBroker(ANSWERS["says nothing"])
    settings = CollectorSettings.model_validate(
        {
            "broker": {
                "driver": "amqp",
                "host": HOST,
                "port": broker.port,
                "other_hosts": [f"{HOST}:{other.port}"],
                "connect_timeout_s": 0.3,
            },
            "store": {"driver": "sqlite", "file": tmp_path / "reports.sqlite3"},
            "longest_retry_s": 0.1,
        }
    )
    collector = Collector(settings, Metrics(), now=now, rng=random.Random(3))
    thread = threading.Thread(target=collector.run)
    thread.start()
    try:
        assert wait_until(lambda: broker.connections > 1 and other.connections > 1, timeout_s=20)
        assert thread.is_alive()
    finally:
        collector.stop()
        thread.join(10)
        other.close()
