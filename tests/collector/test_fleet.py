"""The command `tools/fleet`, small: real broker, collectors and database."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fleet_simulation import worker
from fleet_simulation.postgres import ServerError, find_programs
from fleet_simulation.result import Sent, Stored, exactly_once, speed
from leukoscope.system.clock import utc_now

ROOT = Path(__file__).parents[2]


def fleet(*words):
    try:
        find_programs()
    except ServerError as error:
        pytest.skip(str(error))
    paths = f"{ROOT / 'tools'}:{ROOT / 'device'}"
    command = [sys.executable, "-m", "fleet_simulation", *map(str, words)]
    return subprocess.run(
        command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, timeout=240, check=False
    )


def test_a_small_fleet_that_is_disturbed_has_every_report_stored_once():
    faults = ["--faults", "--cut", "sigstop", "--kills", 1, "--outage-s", 1, "--cut-s", 1, "--pause-s", 0.2]
    done = fleet("--devices", 6, "--rate", 20, "--processes", 1, *faults)
    assert done.returncode == 0, done.stdout + done.stderr
    for what in ("broker killed", "collector-", "database stopped", "broker's process stopped"):
        assert what in done.stderr
    assert "missing               │ 0" in done.stdout
    # Three versions each of twenty reports, from another device.
    assert re.search(r"sent +│ 60 ", done.stdout)
    assert re.search(r"in quarantine +│ 60 ", done.stdout)
    assert re.search(r"came into force +│ 0 ", done.stdout)


def test_the_clocks_of_a_disturbed_fleet_step_and_those_of_a_sound_one_are_right(monkeypatch):
    moments = iter([0.0, 5.0, 10.0, 0.0])
    monkeypatch.setattr("fleet_simulation.worker.time.monotonic", lambda: next(moments))
    wrong, right = worker.stepping_clock(86400.0, 0), worker.stepping_clock(0.0, 0)
    off_days = [round((wrong() - utc_now()).total_seconds() / 86400) for _ in range(3)]
    assert off_days == [0, 1, -1]
    assert abs((right() - utc_now()).total_seconds()) < 1


def test_the_backlog_of_one_device_goes_through_its_own_outbox_and_is_stored_once():
    done = fleet("--backlog", 300, "--collectors", 1)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"devices connected +│ 1 ", done.stdout)
    assert re.search(r"stored +│ 300 ", done.stdout)


def test_the_delays_and_the_missing_are_those_of_the_reports():
    ids = [f"report {number}" for number in range(100)]
    sent = Sent(5, 7, 1, dict.fromkeys(ids, 100.0), dict.fromkeys(ids, 100.5))
    stored = Stored({name: 100.0 + number / 10 for number, name in enumerate(ids[1:], 1)}, 99, 0, 0)
    table, whole = exactly_once(sent, stored, 101)
    assert not whole
    assert dict(cells(table))["missing"] == "1"
    figures = dict(cells(speed(sent, stored)))
    assert (figures["50% within"], figures["slowest"]) == ("5000 ms", "9900 ms")
    assert figures["reports stored per second"] == "10"


def cells(table):
    return zip(*([str(cell) for cell in column.cells] for column in table.columns), strict=True)
