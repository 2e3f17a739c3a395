"""kill -9 at moments of chance over whole samples, their reports and starts, and in the middle of database commits."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from random import Random

from tests.faults.campaign import Case, Kind, NotHere
from tests.faults.nursery import ROOT
from tests.faults.running import NotSurvived, Plant

IN_A_ROW = 10
"""Kills on one bench before it is looked at."""
LIFE_S = 2.0
"""Lives are this long at most; that is a start and some samples."""
COMMITTING = "pwrite64,fdatasync"
"""The calls by which SQLite writes, and nothing else here does."""
SAMPLES = 2


def _again_and_again(kills: int) -> Case:
    def case(plant: Plant, chance: Random) -> int:
        for _ in range(kills):
            device = plant.start("eager")
            # Some in the start, most in samples: one of them takes a few tenths of a second.
            if chance.random() < 0.8:
                plant.restarts_s.append(device.until_ready())
            time.sleep(chance.uniform(0.0, LIFE_S))
            if device.status() is not None:
                raise NotSurvived(f"ended by itself: {plant.log_text()[-300:]}")
            device.end(signal.SIGKILL)
        plant.works()
        _every_sample_is_reported(plant)
        return kills

    return case


def _every_sample_is_reported(plant: Plant) -> None:
    register = (plant.state / "samples.jsonl").read_text().splitlines()
    begun = {entry["report_id"] for entry in map(json.loads, register) if entry["event"] == "begun"}
    if missing := begun - plant.left().kept:
        raise NotSurvived(f"{len(missing)} samples were begun and never reported")
    if waiting := list((plant.state / "in-progress").iterdir()):
        raise NotSurvived(f"{len(waiting)} samples wait to be gone on with")


def kills(wanted: int) -> Iterator[Case]:
    """So many kills."""
    while wanted > 0:
        yield _again_and_again(min(wanted, IN_A_ROW))
        wanted -= IN_A_ROW


KILLS = Kind("kill -9", kills)


class Committing:
    """Lives under strace(1), which sends SIGKILL as one call of a commit begins."""

    def __init__(self) -> None:
        self._calls = 0

    def die(self, plant: Plant, chance: Random) -> None:
        """At any of those calls."""
        plant.works()
        if not self._calls:
            self._calls = self._live(plant).count("= ")
            if self._calls < 10:
                raise NotSurvived(f"expected many calls of {COMMITTING}, found {self._calls}")
        # Two lives do not make quite the same number of them.
        number = chance.randint(1, self._calls * 9 // 10)
        written = self._live(plant, f"inject={COMMITTING}:signal=KILL:when={number}")
        plant.about = f"at call {number} of {self._calls}"
        if "+++ killed by SIGKILL +++" not in written:
            raise NotSurvived("was not killed")
        plant.works()
        _every_sample_is_reported(plant)

    def _live(self, plant: Plant, *extra: str) -> str:
        """The calls that were seen."""
        strace = shutil.which("strace")
        if strace is None:
            raise NotHere("needs strace: apt-get install strace")
        calls = plant.folder / "calls"
        order = json.dumps(asdict(replace(plant.order, broken=("eager",), samples=SAMPLES)))
        more = [decision for one in extra for decision in ("-e", one)]
        done = subprocess.run(
            [
                *(strace, "-f", "-e", f"trace={COMMITTING}", *more, "-o", str(calls)),
                *(sys.executable, "-m", "tests.faults.nursery", order),
            ],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'device'}:{ROOT / 'tools'}"},
            capture_output=True,
            text=True,
            check=False,
        )
        if not calls.exists() or not calls.stat().st_size:
            raise NotHere(f"strace may not trace here: {done.stderr[-200:]}")
        return calls.read_text("ascii")


def commits(wanted: int) -> Iterator[Case]:
    """So many kills in commits."""
    committing = Committing()
    for _ in range(wanted):
        yield committing.die


COMMITS = Kind("kill -9 in a commit", commits)
