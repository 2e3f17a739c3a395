"""What a broker sends: packets of MQTT 3.1.1 and 5, read through a real socket."""

import functools
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from leukoscope.delivery.mqtt.device_connection import DeviceConnection
from leukoscope.delivery.mqtt.mqtt_settings import MqttSettings
from leukoscope.errors import BrokerError
from tests.fuzz.target import Target, of_bytes

TOPIC = b"leukoscope/v1/ward-3/scope-1/status"


@functools.cache
def _sessions() -> Sequence[bytes]:
    """A broker's whole side of a short MQTT 5 connection: CONNACK, PUBLISH (QoS 0 and 1), PUBACK, PINGRESP.

    The last one brings a command that wants its answer elsewhere.
    """
    asked = b"\x08\x00\x05lab/a\x09\x00\x02\x00\x07"
    connack = b"\x20\x0b\x00\x00\x08\x27\x00\x01\x00\x00\x21\x00\x14"
    return [
        connack + _publish(b"{}") + b"\x40\x04\x00\x01\x10\x00" + b"\xd0\x00",
        connack + _publish(b'{"session": 7}', qos=1) + b"\x90\x04\x00\x01\x00\x01",
        connack + _publish(b'{"id": "c-1"}', qos=1, more=asked) + b"\x90\x04\x00\x01\x00\x01",
    ]


def _publish(payload: bytes, qos: int = 0, more: bytes = b"") -> bytes:
    number = b"\x00\x07" if qos else b""
    # Properties: payload format, message expiry, a user property.
    properties = b"\x01\x01\x02\x00\x00\x00\x3c\x26\x00\x01a\x00\x01b" + more
    body = len(TOPIC).to_bytes(2, "big") + TOPIC + number + bytes([len(properties)]) + properties + payload
    return bytes([0x30 | qos << 1, len(body)]) + body


def _read_session(content: bytes, folder: Path) -> None:
    """Valid where the broker's yes and one message under our topic were understood before it hung up."""
    with _broker(content) as port:
        link = DeviceConnection(MqttSettings(host="127.0.0.1", port=port, connect_timeout_s=5), "scope-1", None)
        with closing(link):
            heard = 0
            try:
                link.connect(lambda: False)
                link.listen(TOPIC.decode())
                link.publish("leukoscope/v1/ward-3/scope-1/report", b"{}", retain=False)
                for _ in range(20):
                    link.poll(0.05)
                    link.answers()
                    heard += len(link.received())
            except BrokerError:
                heard += len(link.received())
                if not heard:
                    raise


@contextmanager
def _broker(says: bytes) -> Iterator[int]:
    """A broker that says this to its first client and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)

        def serve() -> None:
            try:
                connection, _ = listening.accept()
                with connection:
                    connection.settimeout(10)
                    connection.recv(4096)
                    connection.sendall(says)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(4096):
                        pass
            except OSError:
                return  # the client has gone before

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            thread.join()


WIRE_TARGETS = (Target("broker's packets", of_bytes(_sessions), _read_session, _sessions, 0.3),)
