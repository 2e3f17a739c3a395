"""A device that is run as a process, killed, started again, and judged by what it left on its disk."""

import json
import os
import re
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leukoscope.system.fault_record import FaultRecord
from tests.faults.nursery import Nursery, Order
from tests.machine.supervisor import Supervisor

PATIENT_S = 90.0
SMALL = (
    '{{ driver = "simulated", smear = {{ white_per_1000_rbc = 200.0, seed = {seed} }}, '
    "microscope = {{ width = 320, height = 240 }}{more} }}"
)
BENCH = """
site = "campaign"
device = "test"
camera = {camera}
calibration = {calibration}
displays = [{{ driver = "snapshot", folder = "{folder}/screens", keep = 20 }}]
controls = [{controls}]
storage = {{ folder = "{folder}/state" }}
counting = {{ white_cells = {white_cells} }}
reporting = {reporting}
new_field = {{ when = "{when}" }}
"""
SCRIPTED = '{ driver = "scripted", presses = [{ action = "toggle", after_s = 0.0 }] }'
BUTTON = '{ driver = "button", pin_factory = "mock" }'
_FINISHED = re.compile(r"report ([0-9a-f-]{36}) finished")
_AN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=-)[0-9a-f]{16}")
_JOURNAL = re.compile(r"^(?:WARNING|ERROR|CRITICAL) (.*)$", re.MULTILINE)


class NotSurvived(Exception):
    """The device did not do what it has to."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is to be found after everything."""

    finished: frozenset[str]
    """Ids of reports that the device said it finished."""
    kept: frozenset[str]
    doubled: int
    """Reports of which there are two that differ, and samples that have two reports."""
    resumed: int


class Device:
    """One life of the device."""

    def __init__(self, plant: "Plant", order: Order) -> None:
        self._plant, self._nursery = plant, plant.nursery
        self._finished_before = plant.finished()
        self._heard = len(plant.supervisor.heard())
        self.began_s = time.monotonic()
        self.pid = self._nursery.start(order)
        self._status: int | None = None

    def status(self) -> int | None:
        """Its exit status, or None while it lives."""
        if self._status is None:
            self._status = self._nursery.status(self.pid)
        return self._status

    def heard(self) -> list[str]:
        """What it sent to its supervisor."""
        return self._plant.supervisor.heard()[self._heard :]

    def until(self, what: Callable[[], object], said: str) -> None:
        """Wait; it must not end meanwhile."""
        deadline = time.monotonic() + PATIENT_S
        while not what():
            if (status := self.status()) is not None:
                if what():
                    return
                raise NotSurvived(f"ended with {status} before {said}: {self._plant.log_text()[-300:]}")
            if time.monotonic() > deadline:
                raise NotSurvived(f"not {said} within {PATIENT_S:g} s: {self._plant.log_text()[-300:]}")
            time.sleep(0.005)

    def until_one_more(self) -> None:
        """Until a report is finished that was not before."""
        before = self._finished_before
        self.until(lambda: self._plant.finished() - before, "finished a report")

    def until_ready(self) -> float:
        """Seconds that took."""
        self.until(lambda: "READY=1" in self.heard(), "ready")
        return time.monotonic() - self.began_s

    def until_ready_or_gone(self) -> bool:
        """True when it is ready; False when it refused, by name."""
        with suppress(NotSurvived):
            self.until_ready()
            return True
        if self.status() != 2:
            raise NotSurvived(f"ended with {self.status()}: {self._plant.log_text()[-600:]}")
        return False

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit status."""
        if self.status() is None:
            os.kill(self.pid, how)
        deadline = time.monotonic() + PATIENT_S
        while (status := self.status()) is None:
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                raise NotSurvived(f"did not end on {how.name}")
            time.sleep(0.002)
        self._plant.listen()
        return status


class Plant:
    """A bench in a folder of its own, and every life of the device on it."""

    def __init__(self, nursery: Nursery, folder: Path, **settings: object) -> None:
        self.nursery, self.folder = nursery, folder
        self.state, self.run_folder, self.log = folder / "state", folder / "run", folder / "log"
        self.run_folder.mkdir(parents=True)
        self.state.mkdir()
        self.log.touch()
        self.supervisor = Supervisor(folder)
        self.supervisor.__enter__()
        self.write(**settings)
        self.order = Order(str(self.bench), str(self.log), str(self.run_folder), self.supervisor.address)
        self.message: Counter[str] = Counter()
        self.restarts_s: list[float] = []
        self.delivered: set[str] = set()
        """Reports that reached a receiver, where there is one."""
        self.about = ""
        """What the case does, where its kind does not say it all."""
        self._lives: list[Device] = []

    def write(self, **changed: object) -> None:
        """The settings, with some of them changed."""
        chosen: dict[str, object] = {
            "folder": self.folder,
            "camera": SMALL.format(seed=3, more=""),
            "calibration": "{ um_per_px = 0.127 }",
            "controls": SCRIPTED,
            "white_cells": 2,
            "when": "every_frame",
            "reporting": '{ driver = "none" }',
        }
        extra = str(changed.pop("extra", ""))
        self.bench = self.folder / "bench.toml"
        self.bench.write_text(BENCH.format(**chosen | changed) + extra)

    def start(self, *broken: str, **limits: Any) -> Device:
        """A life with something wrong."""
        device = Device(self, replace(self.order, broken=broken, **limits))
        self._lives.append(device)
        return device

    def close(self) -> None:
        """Whatever still runs is ended."""
        for device in self._lives:
            with suppress(NotSurvived):
                device.end(signal.SIGKILL)
        self.supervisor.__exit__(None, None, None)

    def log_text(self) -> str:
        """Every line of every life."""
        return self.log.read_text("utf-8", errors="replace")

    def finished(self) -> frozenset[str]:
        """Reports that the device called finished."""
        return frozenset(_FINISHED.findall(self.log_text()))

    def listen(self) -> None:
        """Note what the technician read as a fault: on the screens, or by the last word before it ended."""
        with suppress(OSError):
            for line in (self.run_folder / "screens.jsonl").read_text("utf-8").splitlines():
                screen = json.loads(line)
                if screen["screen"] == "Fault":
                    self._hear(f"{screen['part']}: {screen['happened']}: {screen['todo']}")
                elif screen["screen"] == "Ready" and screen["warning"] not in ("", "Calibration is nominal"):
                    self._hear(screen["warning"])
                elif screen["screen"] == "Looking":
                    self._hear(f"hint: {screen['hint']}")
                elif screen.get("resumed"):
                    self._hear("the count says RESUMED")
                elif screen.get("last_flaw"):
                    self._hear(f"field refused: {screen['last_flaw']}")
            (self.run_folder / "screens.jsonl").unlink()
        if (fault := FaultRecord(self.run_folder).read()) is not None:
            self._hear(f"{fault.part}: {fault.happened}: {fault.todo}")

    def _hear(self, said: str) -> None:
        self.message[_AN_ID.sub("...", said.replace(str(self.folder), "..."))] += 1

    def works(self) -> None:
        """Start it sound: it goes on with what was cut short, or counts a sample, and ends when it is asked to."""
        device = self.start()
        self.restarts_s.append(device.until_ready())
        device.until_one_more()
        # A sample that lacked only its report is reported by itself, and the press began another.
        if status := device.end():
            raise NotSurvived(f"ended with {status} when asked to stop: {self.log_text()[-300:]}")

    def listen_to_the_journal(self) -> None:
        """Where the display itself is what fails, the journal is what is left to tell."""
        for line in set(_JOURNAL.findall(self.log_text())):
            self._hear(f"(journal) {line}")

    def left(self) -> Left:
        """Look at the disk."""
        contents: dict[str, set[str]] = {}
        samples: dict[tuple[str, str], set[str]] = {}
        resumed: set[str] = set()
        stored = self.stored()
        for payload in [*stored.values(), *self._files(set(stored))]:
            with suppress(ValueError, KeyError, TypeError):
                report = json.loads(payload)
                sample = report["sample"]
                contents.setdefault(report["id"], set()).add(json.dumps(_content(report), sort_keys=True))
                samples.setdefault((sample["sample_id"], sample["started_at"]), set()).add(report["id"])
                if sample.get("resumed"):
                    resumed.add(report["id"])
        doubled = sum(len(same) > 1 for same in [*contents.values(), *samples.values()])
        return Left(self.finished(), frozenset(contents) | frozenset(self.delivered), doubled, len(resumed))

    def in_outbox(self) -> frozenset[str]:
        """Ids of the reports that the outbox holds now."""
        return frozenset(self.stored())

    def stored(self) -> dict[str, bytes]:
        """The reports that the outbox holds now, the newest version of each, by id."""
        path = self.state / "outbox.sqlite"
        if not path.exists():
            return {}
        with closing(sqlite3.connect(path)) as outbox:
            return dict(outbox.execute("SELECT id, payload FROM message WHERE kind = 'report'"))

    def _files(self, stored: set[str]) -> list[bytes]:
        """Those that are nowhere else: the outbox is what is sent, and a spoilt copy is no second report."""
        reports = (self.state / "reports").glob("*.json")
        return [path.read_bytes() for path in reports if not any(one in path.name for one in stored)]


def _content(report: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in report.items() if name not in ("envelope",)}
