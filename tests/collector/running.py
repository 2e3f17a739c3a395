"""A collector in a thread, what is in a store, and reports to send to it."""

import base64
import json
import random
import threading
from datetime import UTC, datetime
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from leukoscope.messages.json_format import utc_text
from leukoscope.messages.report import encode, to_bytes
from leukoscope_collector.collector import Collector
from leukoscope_collector.collector_settings import CollectorSettings
from leukoscope_collector.metrics import Metrics
from tests.brokers import HOST, wait_until
from tests.messages.examples import NOW, report

TOPIC = "leukoscope/v1/ward-3/scope-1/report"


def now() -> datetime:
    return datetime.now(UTC)


class Running:
    """A collector at work in a thread of its own."""

    def __init__(self, settings: CollectorSettings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.collector = Collector(settings, self.metrics, now=now, rng=random.Random(3))
        self._thread = threading.Thread(target=self.collector.run)
        self._thread.start()

    def figure(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"leukoscope_collector_{name}", labels) or 0.0

    def is_connected(self) -> bool:
        return self.figure("broker_connected") == 1

    def stop(self) -> None:
        self.collector.stop()
        self._thread.join(10)
        assert not self._thread.is_alive()


class Device:
    """A client that publishes at QoS 1 and notes how the broker answers."""

    def __init__(self, port: int, client_id: str = "scope-1", **login: Any) -> None:
        self.reasons: dict[int, str] = {}
        protocol = login.get("protocol", MQTTProtocolVersion.MQTTv5)
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id, protocol=protocol)
        self.client.on_publish = lambda client, data, mid, reason, properties: self.reasons.update({mid: str(reason)})
        if "username" in login:
            self.client.username_pw_set(login["username"], login["password"])
        if "tls" in login:
            self.client.tls_set_context(login["tls"])
        self.client.connect(HOST, port)

    def __enter__(self) -> "Device":
        self.client.loop_start()
        assert wait_until(self.client.is_connected)
        return self

    def __exit__(self, *error: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        self.client.on_publish = self.client.on_subscribe = self.client.on_message = None

    def subscribe(self, topic: str) -> bool:
        """Whether the broker answered; what it forbids it may still only leave unsaid."""
        answered: list[int] = []
        self.client.on_subscribe = lambda client, data, mid, reasons, properties: answered.append(mid)
        self.client.subscribe(topic, qos=1)
        return wait_until(lambda: answered)

    def publish(self, payload: bytes, topic: str = TOPIC, *, retain: bool = False) -> str:
        """The broker's answer."""
        info = self.client.publish(topic, payload, qos=1, retain=retain)
        assert wait_until(lambda: info.mid in self.reasons), "the broker did not answer"
        return self.reasons[info.mid]


def message(number: int = 1, **changes: Any) -> bytes:
    """A report as device ward-3/scope-1 sends it; its id is made from `number`."""
    return to_bytes(encode(report(number, **changes), boot_id="boot-1", sequence=max(number, 1), sent_clock=NOW))


def picture(number: int = 1, cell: int = 1, **changes: Any) -> bytes:
    """A picture of a white cell of report `number`, as device ward-3/scope-1 sends it."""
    webp = b"RIFF\0\0\0\0WEBP" + bytes([cell % 256]) * 300
    message = {
        "schema": "leukoscope/cell/1",
        "report": id_of(number),
        "version": 1,
        "cell": cell,
        "class": "blast",
        "confidence": 0.75,
        "field": 3,
        "box": [1, 2, 30, 40],
        "source": "live",
        "picture": {
            "format": "webp",
            "width": 60,
            "height": 70,
            "um_per_px": 0.1,
            "base64": base64.b64encode(webp).decode(),
        },
        "envelope": {
            "boot_id": "boot-1",
            "sequence": cell,
            "sent_clock": utc_text(NOW),
            "clock_synchronised": True,
            "historical": False,
        },
    }
    return to_bytes(message | changes)


def id_of(number: int) -> str:
    return report(number).id


def rows(store_settings: Any, statement: str) -> list[tuple[Any, ...]]:
    store = store_settings.open()
    try:
        with store.transaction():
            return store.execute(statement)
    finally:
        store.close()


def stored(store_settings: Any) -> set[tuple[str, int]]:
    return {(str(row[0]), row[1]) for row in rows(store_settings, "SELECT id, version FROM report")}


def altered(payload: bytes, **changes: Any) -> bytes:
    return json.dumps(json.loads(payload) | changes).encode()
