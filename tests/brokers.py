"""Real MQTT brokers on this machine, for tests that would prove nothing against a fake."""

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def wait_until(what, timeout_s: float = 20.0, every_s: float = 0.01) -> bool:
    """True as soon as `what()` is; False when the time ran out."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(every_s)
    return False


def program(name: str) -> str:
    """The path of a broker's program; Debian keeps daemons where a user's PATH does not look."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"needs {name}: apt-get install mosquitto")
    return found


class Mosquitto:
    """A mosquitto that can be started, killed and started again on the same port with the same memory."""

    def __init__(self, folder: Path, extra: str = "", port: int | None = None) -> None:
        self.port = port or free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        access = "" if "allow_anonymous" in extra else "allow_anonymous true\n"
        # Started as root, mosquitto would drop to a user who may not read the test's folder.
        (folder / "mosquitto.conf").write_text(
            f"user root\nlistener {self.port} {HOST}\n{access}"
            f"persistence true\npersistence_location {folder}/\n"
            "autosave_interval 1\nautosave_on_changes true\n"
            f"log_dest file {folder / 'mosquitto.log'}\n{extra}\n"
        )
        self._program = program("mosquitto")

    def start(self) -> Self:
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._folder / "mosquitto.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if not wait_until(self._listens):
            self.kill()
            raise RuntimeError(f"mosquitto did not start: {(self._folder / 'mosquitto.log').read_text()}")
        return self

    def kill(self) -> None:
        """As a pulled plug does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """As an operator does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0


class Subscriber:
    """A client with a persistent session that notes every message, through restarts of the broker."""

    def __init__(self, port: int, topic: str = "#", *, client_id: str = "reader", **login: str) -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self._subscribed = False
        self._topic = topic
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, clean_session=False, protocol=MQTTProtocolVersion.MQTTv311
        )
        if login:
            self.client.username_pw_set(login["username"], login["password"])
        self.client.reconnect_delay_set(0.05, 0.05)  # type: ignore[arg-type]
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_message = self._on_message
        self.client.connect(HOST, port)

    def __enter__(self) -> Self:
        self.client.loop_start()
        assert wait_until(lambda: self._subscribed), "the subscriber could not subscribe"
        return self

    def __exit__(self, *error: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def payloads(self, ending: str) -> list[bytes]:
        """What arrived under topics with this ending, in order."""
        return [payload for topic, payload, _ in self.messages if topic.endswith(ending)]

    def _on_connect(self, client: paho.Client, *rest: Any) -> None:
        client.subscribe(self._topic, qos=1)

    def _on_subscribe(self, *rest: Any) -> None:
        self._subscribed = True

    def _on_message(self, client: paho.Client, data: Any, message: paho.MQTTMessage) -> None:
        self.messages.append((message.topic, bytes(message.payload), message.retain))
