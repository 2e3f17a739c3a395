"""Wall and processor time side by side: on a busy machine only the second is about the program."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Self

import numpy as np


@dataclass(frozen=True, slots=True)
class Time:
    """A moment, or the time between two; milliseconds."""

    wall: float = 0.0
    cpu: float = 0.0
    """Of the calling thread, which with one thread does all the work."""

    @classmethod
    def now(cls) -> Self:
        """This moment."""
        return cls(1000 * time.perf_counter(), 1000 * time.thread_time())

    def __sub__(self, earlier: "Time") -> "Time":
        return Time(self.wall - earlier.wall, self.cpu - earlier.cpu)

    def __add__(self, other: "Time") -> "Time":
        return Time(self.wall + other.wall, self.cpu + other.cpu)


def timed(work: Callable[[], object]) -> Time:
    """How long a call took."""
    begin = Time.now()
    work()
    return Time.now() - begin


@dataclass(frozen=True, slots=True)
class Spread:
    """Half of the samples, and 95 % of them, took at most this long; milliseconds."""

    wall_p50: float
    wall_p95: float
    cpu_p50: float
    cpu_p95: float

    @classmethod
    def of(cls, times: Sequence[Time]) -> Self:
        """The spread of at least one sample."""
        wall = np.percentile([one.wall for one in times], (50, 95))
        cpu = np.percentile([one.cpu for one in times], (50, 95))
        return cls(*(round(float(value), 3) for value in (*wall, *cpu)))


@dataclass(slots=True)
class Calls:
    """When a watched function was entered and left."""

    begins: list[Time] = field(default_factory=list)
    ends: list[Time] = field(default_factory=list)


@contextmanager
def watched(module: ModuleType, name: str) -> Iterator[Calls]:
    """Notes when a module calls one of its functions, so that the function needs no clock of its own.

    Raises:
        AttributeError: the module has no such function any more; name the one that took its place.
    """
    original = getattr(module, name)
    calls = Calls()

    def noting(*arguments: Any, **named: Any) -> Any:
        calls.begins.append(Time.now())
        result = original(*arguments, **named)
        calls.ends.append(Time.now())
        return result

    setattr(module, name, noting)
    try:
        yield calls
    finally:
        setattr(module, name, original)
