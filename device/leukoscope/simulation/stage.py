"""The simulated stage: moved by keys, or along a path that depends on the clock alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

Clock = Callable[[], float]
"""Seconds since the stage's path began; never runs backwards."""
Place = tuple[float, float]
"""(x, y) on the slide, micrometres."""


class Path(Protocol):
    """Where the stage is after some seconds."""

    def at(self, seconds: float) -> Place:
        """(x, y) in micrometres from the path's start."""


@dataclass(frozen=True, slots=True)
class Serpentine:
    """Field by field to the right, one row down, back to the left, and so on without end."""

    columns: int
    """Fields per row, 1 or more."""
    step_x_um: float
    step_y_um: float
    dwell_s: float
    """How long the stage rests at each field, seconds."""
    travel_s: float = 0.0
    """How long a move takes, seconds; 0 jumps."""

    def at(self, seconds: float) -> Place:
        """Resting for `dwell_s`, then moving steadily for `travel_s`."""
        leg, into = divmod(max(seconds, 0.0), self.dwell_s + self.travel_s)
        return _between(self._field(int(leg)), self._field(int(leg) + 1), into - self.dwell_s, self.travel_s)

    def _field(self, number: int) -> Place:
        row, col = divmod(number, self.columns)
        if row % 2:
            col = self.columns - 1 - col
        return col * self.step_x_um, row * self.step_y_um


@dataclass(frozen=True, slots=True)
class Places:
    """A list of places in order; the stage stays at the last."""

    places: Sequence[Place]
    dwell_s: float
    travel_s: float = 0.0

    def at(self, seconds: float) -> Place:
        """Resting for `dwell_s`, then moving steadily for `travel_s`."""
        leg, into = divmod(max(seconds, 0.0), self.dwell_s + self.travel_s)
        if leg >= len(self.places) - 1:
            return self.places[-1]
        return _between(self.places[int(leg)], self.places[int(leg) + 1], into - self.dwell_s, self.travel_s)


def _between(start: Place, end: Place, moving_s: float, travel_s: float) -> Place:
    share = min(max(moving_s / travel_s, 0.0), 1.0) if travel_s > 0 else 0.0
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


class Stage:
    """Where the middle of the picture lies on the slide."""

    def __init__(self, clock: Clock, x_um: float = 0.0, y_um: float = 0.0, path: Path | None = None) -> None:
        self._clock, self._path = clock, path
        self._offset = (x_um, y_um)

    @property
    def position_um(self) -> Place:
        """(x, y) now."""
        return self._at(self._clock())

    def travelled_um(self, seconds: float) -> Place:
        """How far (x, y) the path moved during the last `seconds`; a move by hand is a jump, adding 0."""
        now = self._clock()
        (x, y), (was_x, was_y) = self._at(now), self._at(now - seconds)
        return x - was_x, y - was_y

    def move_by(self, dx_um: float, dy_um: float) -> None:
        """Shift the stage, and the path with it."""
        self._offset = (self._offset[0] + dx_um, self._offset[1] + dy_um)

    def move_to(self, x_um: float, y_um: float) -> None:
        """Be at (x, y) now; a path goes on from there."""
        x, y = self.position_um
        self.move_by(x_um - x, y_um - y)

    def _at(self, seconds: float) -> Place:
        x, y = self._path.at(seconds) if self._path else (0.0, 0.0)
        return x + self._offset[0], y + self._offset[1]
