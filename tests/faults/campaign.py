"""What a kind of fault is, and how its cases are tried and judged."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.faults.nursery import Nursery
from tests.faults.running import NotSurvived, Plant

Case = Callable[[Plant, Random], int | None]
"""Does something to a device and returns how many faults that were (None: one).

Raises:
    NotSurvived: the device did not do what it has to.
    NotHere: this machine cannot do that to it.
"""


class NotHere(Exception):
    """Something that the case needs is missing; the message says what."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault, and the cases that try it."""

    name: str
    cases: Callable[[int], Iterator[Case]]
    """Takes how many are wanted of a kind that has any number; others give all they have."""
    settings: dict[str, object] = field(default_factory=dict)
    """What the bench's settings say otherwise."""


@dataclass(slots=True)
class Row:
    """What came of one kind."""

    name: str
    tried: int = 0
    survived: int = 0
    lost: int = 0
    doubled: int = 0
    resumed: int = 0
    worst_restart_s: float = 0.0
    message: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    skipped: str = ""


def try_kind(kind: Kind, nursery: Nursery, wanted: int, seed: int = 0) -> Row:
    """Every case of a kind, each on a bench of its own."""
    row = Row(kind.name)
    for number, case in enumerate(kind.cases(wanted)):
        with tempfile.TemporaryDirectory(prefix="faults-") as folder:
            plant = Plant(nursery, Path(folder) / "bench", **kind.settings)
            faults, why = 1, ""
            try:
                faults = case(plant, Random(f"{kind.name} {seed} {number}")) or 1
            except NotSurvived as failure:
                why = str(failure)
            except NotHere as missing:
                row.skipped = str(missing)
                return row
            finally:
                plant.close()
            _judge(row, plant, faults, why)
    return row


def _judge(row: Row, plant: Plant, faults: int, why: str) -> None:
    left = plant.left()
    lost = len(left.finished - left.kept)
    row.tried += faults
    row.survived += 0 if why else faults
    row.lost += lost
    row.doubled += left.doubled
    row.resumed += left.resumed
    row.worst_restart_s = max([row.worst_restart_s, *plant.restarts_s])
    if not plant.message:
        plant.listen_to_the_journal()
    row.message += plant.message
    if why or lost or left.doubled:
        row.failures.append(f"{plant.about} {why} ({lost} lost, {left.doubled} doubled)")
