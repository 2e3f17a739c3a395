"""What is signed at the centre is signed once, through ten kills of device, broker and collector."""

import json
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from leukoscope.outbox import audit_trail
from leukoscope.outbox.store import Outbox
from tests.brokers import HOST, Mosquitto, wait_until
from tests.web.conftest import NAME, PIN
from tests.web.made import CELLS, make_sample
from tests.web.test_centre import Centre
from tests.web.test_security import Client

SAMPLES, KILLS = 6, 10
TOTAL = sum(CELLS.values())
LONG_S = 90.0


class Killable:
    """A process that can be killed and started again."""

    def __init__(self, log: Path, *command: str) -> None:
        self._log, self._command = log, command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([sys.executable, "-m", *self._command], stdout=log, stderr=log)

    def kill(self) -> None:
        """As a pulled plug does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def said(self, words: str) -> bool:
        return words in self._log.read_text(errors="replace")


class Site:
    """Device, broker, collector and the page at the centre, each a process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, folder / "store.sqlite3"
        with Outbox.open(folder / "outbox.sqlite") as outbox:
            for number in range(1, SAMPLES + 1):
                make_sample(outbox, f"S-{number}", number)
        self.broker = Mosquitto(folder / "broker").start()
        self.centre: Centre | None = None
        settings = folder / "collecting.toml"
        settings.write_text(
            f'name = "collector-1"\nlongest_retry_s = 0.3\nbroker = {{ host = "{HOST}", port = {self.broker.port} }}\n'
            f'store = {{ driver = "sqlite", file = "{self.store}" }}\nmetrics = {{ port = 0 }}\n'
        )
        self.device = Killable(folder / "device.log", "tests.web.working_device", str(folder), str(self.broker.port))
        self.collector = Killable(folder / "collector.log", "leukoscope_collector", "--settings", str(settings))
        self.collector.start()
        self.device.start()

    def close(self) -> None:
        for one in (self.device, self.collector, self.broker):
            one.kill()
        if self.centre is not None:
            self.centre.kill()

    def stored(self, report: str) -> list[tuple[int, str]]:
        """Version and status of a report at the centre."""
        if not self.store.exists():
            return []
        with closing(sqlite3.connect(self.store, timeout=10)) as sql:
            try:
                rows = sql.execute("SELECT version, payload FROM report WHERE id = ? ORDER BY version", (report,))
                return [(version, json.loads(payload)["lifecycle"]["status"]) for version, payload in rows]
            except sqlite3.OperationalError:
                return []

    def pictures(self) -> int:
        with closing(sqlite3.connect(self.store, timeout=10)) as sql:
            return int(sql.execute("SELECT count(*) FROM cell").fetchone()[0])


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


def name_of(number: int) -> str:
    return str(UUID(int=number))


def sign(client: Client, report: str) -> None:
    """Name each unsure cell, look at every one, and sign."""
    unsure = list(range(TOTAL - CELLS["unsure"] + 1, TOTAL + 1))
    for body in (
        {"do": "name", "cells": unsure, "class": "lymphocyte"},
        {"do": "look", "cells": list(range(1, TOTAL + 1))},
    ):
        status, _, text = client.post(f"/reports/{report}/draft", json.dumps(body))
        assert status == 200, text
    status, _, text = client.post(f"/reports/{report}/act", {"do": "sign", "version": "1", "secret": PIN, "note": ""})
    assert status == 303, text


def test_six_reports_are_signed_exactly_once_through_ten_kills(site: Site) -> None:
    reports = [name_of(number) for number in range(1, SAMPLES + 1)]
    assert wait_until(lambda: all(site.stored(report) for report in reports), LONG_S, 0.1)
    assert wait_until(lambda: site.pictures() == SAMPLES * TOTAL, LONG_S, 0.1)
    site.centre = Centre(site.folder, site.broker.port)
    client = Client(site.centre)  # type: ignore[arg-type]
    assert client.begin("/set-up", {"code": site.centre.code, "name": NAME, "secret": PIN}) == 303
    rng = random.Random(17)
    waiting, killed = list(reports), 0
    parts: list[Killable | Mosquitto] = [site.device, site.broker, site.collector]
    while killed < KILLS:
        if waiting and killed % 2 == 0:
            sign(client, waiting.pop())
        # At any moment between the signature and the version's arrival.
        time.sleep(rng.uniform(0.0, 1.2))
        part = parts[killed % len(parts)]
        part.kill()
        killed += 1
        time.sleep(rng.uniform(0.0, 0.3))
        part.start()
    for report in waiting:
        sign(client, report)
    whole = [(1, "preliminary"), (2, "reviewed"), (3, "final")]
    assert wait_until(lambda: all(site.stored(report) == whole for report in reports), LONG_S, 0.2), [
        site.stored(report) for report in reports
    ]
    assert wait_until(
        lambda: all("on its way" not in client.ask("GET", f"/reports/{report}/state")[2] for report in reports), LONG_S
    )
    site.device.kill()
    with Outbox.open(site.folder / "outbox.sqlite") as outbox:
        for report in reports:
            assert [entry.key.version for entry in outbox.versions(report)] == [1, 2, 3]
            steps = json.loads(outbox.versions(report)[-1].payload)["lifecycle"]["steps"]
            assert [(step["by"], step["status"]) for step in steps] == [(NAME, "reviewed"), (NAME, "final")]
        with outbox.reading() as sql:
            assert list(audit_trail.faults_of_chain(sql)) == []
