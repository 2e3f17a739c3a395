"""A device that is killed again and again, at moments of chance, loses at most the field it works on."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.commands.test_run import write_bench
from tests.resuming.test_service import SMALL

PATIENT_S = 120.0
WITNESSED = """
import os, sys
from leukoscope.counting.tally import Tally
from leukoscope.cli.main import main

pipe = int(sys.argv.pop(1))

def witness(name, sign):
    method = getattr(Tally, name)

    def witnessed(tally, *facts):
        method(tally, *facts)
        os.write(pipe, sign)

    setattr(Tally, name, witnessed)

witness("add", b".")
witness("refuse_for", b"x")
main()
"""
"""The command as it is, with a pipe that tells each field the moment it is in the tally."""


@dataclass
class Device:
    """The instrument on a bench, as a process."""

    bench: Path

    def __post_init__(self) -> None:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        command = [sys.executable, "-c", WITNESSED, str(writing), "run", "--bench", str(self.bench)]
        self.process = subprocess.Popen(
            command, pass_fds=(writing,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(writing)
        self._pipe = reading
        self.in_tally = b""

    def look(self) -> None:
        try:
            self.in_tally += os.read(self._pipe, 65536)
        except BlockingIOError:
            return

    def wait_for(self, fields: int) -> None:
        """Until so many fields are in its tally."""
        deadline = time.monotonic() + PATIENT_S
        while len(self.in_tally) < fields:
            assert time.monotonic() < deadline, f"{self.in_tally!r} within {PATIENT_S:g} s"
            assert self.process.poll() is None, "the device ended by itself"
            time.sleep(0.002)
            self.look()

    def end(self, how: signal.Signals) -> bytes:
        """What was in its tally when it ended."""
        self.process.send_signal(how)
        self.process.wait(PATIENT_S)
        self.look()
        os.close(self._pipe)
        return self.in_tally


def reports(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in (folder / "state" / "reports").glob("*.json")]


def test_no_field_but_the_last_and_no_report_is_lost_or_doubled(tmp_path: Path) -> None:
    chance = random.Random(7)
    bench = write_bench(tmp_path, camera=SMALL, calibration="{ um_per_px = 0.127 }", white_cells=8, when="every_frame")
    before = b""
    for _ in range(3):
        device = Device(bench)
        device.wait_for(len(before) + chance.randint(1, 2))
        time.sleep(chance.uniform(0.0, 0.1))
        at_death = device.end(signal.SIGKILL)
        # It began with what was kept of the time before: all of it, or all but the field in work.
        assert at_death.startswith(before) or at_death[: len(before) - 1] == before[:-1]
        before = at_death
    assert not reports(tmp_path)
    last = Device(bench)
    deadline = time.monotonic() + PATIENT_S
    while not reports(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    at_end = last.end(signal.SIGTERM)
    assert last.process.returncode == 0
    (report,) = reports(tmp_path)
    assert report["fields"]["counted"] == at_end.count(b".")
    assert report["fields"]["rejected"] == at_end.count(b"x")
    assert report["sample"]["resumed"] == 3
    assert not list((tmp_path / "state" / "in-progress").iterdir())
    with closing(sqlite3.connect(tmp_path / "state" / "outbox.sqlite")) as outbox:
        assert outbox.execute("SELECT id FROM message WHERE kind = 'report'").fetchall() == [(report["id"],)]


def test_killed_at_any_moment_around_its_reports_it_makes_each_of_them_once(tmp_path: Path) -> None:
    chance = random.Random(11)
    many = SMALL.replace("60.0", "200.0")
    bench = write_bench(tmp_path, camera=many, calibration="{ um_per_px = 0.127 }", white_cells=2, when="every_frame")
    for _ in range(2):
        device = Device(bench)
        device.wait_for(3)
        time.sleep(chance.uniform(0.0, 0.6))
        device.end(signal.SIGKILL)
    known = len(reports(tmp_path))
    last = Device(bench)
    deadline = time.monotonic() + PATIENT_S
    while len(reports(tmp_path)) <= known:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    last.end(signal.SIGTERM)
    assert last.process.returncode == 0
    with closing(sqlite3.connect(tmp_path / "state" / "outbox.sqlite")) as outbox:
        sent = [name for (name,) in outbox.execute("SELECT id FROM message WHERE kind = 'report'")]
    register = (tmp_path / "state" / "samples.jsonl").read_text().splitlines()
    begun = {entry["report_id"] for entry in map(json.loads, register) if entry["event"] == "begun"}
    assert len(sent) == len(set(sent))
    assert begun <= set(sent), "a sample that was begun was never reported"
    assert {str(report["id"]) for report in reports(tmp_path)} == set(sent)
    assert not list((tmp_path / "state" / "in-progress").iterdir())
