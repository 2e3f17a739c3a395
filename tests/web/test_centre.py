"""A haematologist at the centre signs what a device far away has counted: over a real broker and a real store."""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from leukoscope.delivery import MqttSettings
from leukoscope.outbox.store import Outbox
from leukoscope.system.clock import utc_now
from leukoscope_collector.sqlite_store import SqliteSettings
from tests.brokers import HOST, Mosquitto, wait_until
from tests.collector.conftest import collector
from tests.collector.running import Running
from tests.delivery.conftest import mosquitto
from tests.messages.examples import IDENTITY
from tests.reviewing.test_from_afar import Device
from tests.web.conftest import NAME, PIN
from tests.web.test_security import Client

__all__ = ["collector", "mosquitto"]
REPORT = "/reports/00000000-0000-0000-0000-000000000001"


class Centre:
    """`leukoscope-collector web` as a process."""

    def __init__(self, folder: Path, broker: int) -> None:
        self.settings = folder / "collector.toml"
        self.settings.write_text(
            f'broker = {{ host = "{HOST}", port = {broker} }}\n'
            f'store = {{ driver = "sqlite", file = "{folder}/store.sqlite3" }}\nweb = {{ port = 0 }}\n'
        )
        self.code = ""
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "leukoscope_collector", "web", "--settings", str(self.settings)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.port = int(line.rstrip("/\n").rpartition(":")[2])
        self.code = self.code or self.process.stdout.readline().split()[-1]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Working:
    """A device that is online: it sends, hears and does."""

    def __init__(self, device: Device, port: int) -> None:
        quick = {"first_retry_s": 0.05, "longest_retry_s": 0.3, "ack_timeout_s": 2, "connect_timeout_s": 2}
        mqtt = MqttSettings.model_validate({"host": HOST, "port": port} | quick)
        device.start_again()
        self.publisher = mqtt.open(device.outbox, IDENTITY, now=utc_now, rng=Random(4), commands=device.commands)
        self.publisher.start()
        self._remote = device.remote
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.wait(0.03):
            self._remote.carry_out()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self.publisher.stop()


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    with Outbox.open(tmp_path / "outbox.sqlite") as outbox:
        yield Device(tmp_path, outbox)


@contextlib.contextmanager
def online(device: Device, port: int) -> Iterator[Working]:
    working = Working(device, port)
    try:
        yield working
    finally:
        working.stop()


def decide_all(client: Client, device: Device) -> None:
    """Call each unsure cell a lymphocyte, and look at every cell."""
    numbers = list(range(1, 19))
    unsure = numbers[-5:]
    for body in ({"do": "name", "cells": unsure, "class": "lymphocyte"}, {"do": "look", "cells": numbers}):
        status, _, text = client.post(f"{REPORT}/draft", json.dumps(body))
        assert status == 200, text


def sign(client: Client) -> tuple[int, str]:
    status, _, text = client.post(f"{REPORT}/act", {"do": "sign", "version": "1", "secret": PIN, "note": ""})
    return status, text


def test_a_report_is_signed_at_the_centre_by_the_device_exactly_once(
    mosquitto: Callable[[], Mosquitto], collector: Callable[..., Running], device: Device, tmp_path: Path
) -> None:
    broker = mosquitto().start()
    store = SqliteSettings(file=tmp_path / "store.sqlite3")
    assert wait_until(collector(broker.port, store.model_dump()).is_connected)
    with online(device, broker.port):
        assert wait_until(lambda: device.outbox.counts("cell").pending == 0, 20)
    centre = Centre(tmp_path, broker.port)
    try:
        client = Client(centre)  # type: ignore[arg-type]
        assert client.begin("/set-up", {"code": centre.code, "name": NAME, "secret": PIN}) == 303
        assert "S-17" in client.ask("GET", "/worklist")[2]
        decide_all(client, device)
        status, text = sign(client)
        assert status == 303, text
        # The device is away: the step waits, also through a kill of the page.
        assert "on its way to ward-3/scope-1" in client.ask("GET", f"{REPORT}/state")[2]
        assert sign(client)[0] == 409
        centre.kill()
        centre.start()
        client.port = centre.port
        assert "on its way to ward-3/scope-1" in client.ask("GET", f"{REPORT}/state")[2]
        with online(device, broker.port):
            began = time.monotonic()
            assert wait_until(lambda: "final" in client.ask("GET", "/worklist?state=all")[2], 30)
            assert time.monotonic() - began < 30
            assert wait_until(lambda: "on its way" not in client.ask("GET", f"{REPORT}/state")[2], 20)
        assert device.versions == [1, 2, 3]
        last = json.loads(device.outbox.versions(device.report.id)[-1].payload)
        assert [step["by"] for step in last["lifecycle"]["steps"]] == [NAME, NAME]
        # What became a version is no draft any more.
        assert "in force" not in client.ask("GET", f"{REPORT}/state")[2]
    finally:
        centre.kill()


def test_what_the_device_refuses_is_told_and_the_draft_stays(
    mosquitto: Callable[[], Mosquitto], collector: Callable[..., Running], device: Device, tmp_path: Path
) -> None:
    broker = mosquitto().start()
    store = SqliteSettings(file=tmp_path / "store.sqlite3")
    assert wait_until(collector(broker.port, store.model_dump()).is_connected)
    centre = None
    try:
        with online(device, broker.port):
            assert wait_until(lambda: device.outbox.counts("cell").pending == 0, 20)
            centre = Centre(tmp_path, broker.port)
            client = Client(centre)  # type: ignore[arg-type]
            assert client.begin("/set-up", {"code": centre.code, "name": NAME, "secret": PIN}) == 303
            assert client.post(f"{REPORT}/draft", json.dumps({"do": "name", "cells": [18], "class": "blast"}))[0] == 200
            assert sign(client)[0] == 303
            assert wait_until(lambda: "undecided" in client.ask("GET", f"{REPORT}/state")[2], 20)
            french = client.ask("GET", f"{REPORT}/state", **{"accept-language": "fr"})[2]
            assert "undecided" not in french
            assert "cellules incertaines ou suspectes" in french
        assert device.versions == [1]
        assert 'data-number="18" data-name="blast"' in client.ask("GET", REPORT)[2]
    finally:
        if centre is not None:
            centre.kill()


def test_a_page_that_the_broker_would_know_as_a_collector_does_not_begin(tmp_path: Path) -> None:
    file = tmp_path / "collector.toml"
    file.write_text(
        'broker = { host = "b", tls = true, client_cert = "collector.crt", client_key = "collector.key" }\n'
        f'store = {{ driver = "sqlite", file = "{tmp_path}/store.sqlite3" }}\nweb = {{ port = 0 }}\n'
    )
    command = [sys.executable, "-m", "leukoscope_collector", "web", "--settings", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "say under [operator]" in ended.stderr
    assert ended.stderr.count("\n") == 1
