"""kill -9 at moments of chance over whole samples, their reports and starts."""

import json
import signal
import time
from collections.abc import Iterator
from random import Random

from tests.faults.campaign import Case, Kind
from tests.faults.running import NotSurvived, Plant

IN_A_ROW = 10
"""Kills on one bench before it is looked at."""
LIFE_S = 2.0
"""Lives are this long at most; that is a start and some samples."""


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
