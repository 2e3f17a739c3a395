"""An outbox, brokers and publishers that are cleaned away after each test."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from leukoscope.delivery import MqttSettings
from leukoscope.delivery.mqtt.publisher import Publisher
from leukoscope.outbox.store import Outbox
from tests.brokers import HOST, Mosquitto
from tests.messages.examples import IDENTITY


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox.open(tmp_path / "outbox.sqlite3") as opened:
        yield opened


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """Makes mosquittos; each is ended with the test."""
    made: list[Mosquitto] = []

    def make(extra: str = "", port: int | None = None) -> Mosquitto:
        made.append(Mosquitto(tmp_path / f"mosquitto-{len(made)}", extra, port))
        return made[-1]

    yield make
    for broker in made:
        broker.kill()


@pytest.fixture
def publisher(outbox: Outbox) -> Iterator[Callable[..., Publisher]]:
    """Makes started publishers with short waits; each is stopped with the test."""
    made: list[Publisher] = []

    def make(port: int, *, identity=IDENTITY, store: Outbox = outbox, commands=None, **settings: Any) -> Publisher:
        quick: dict[str, Any] = {
            "first_retry_s": 0.05,
            "longest_retry_s": 0.3,
            "ack_timeout_s": 2,
            "connect_timeout_s": 2,
        }
        mqtt = MqttSettings(**{"host": HOST, "port": port, **quick, **settings})
        made.append(mqtt.open(store, identity, now=clock, rng=Random(4), commands=commands))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.stop()
