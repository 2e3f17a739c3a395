"""What there is to tell without words, and how lamps and a buzzer say it."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Event(StrEnum):
    """Something the technician wants to know without looking up."""

    READY = "ready"
    COUNTING = "counting"
    PAUSED = "paused"
    FIELD_COUNTED = "field_counted"
    """Go on to the next one."""
    REFUSED = "refused"
    """The field, or a code that was scanned."""
    DONE = "done"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Blink:
    """On and off again."""

    on_s: float
    off_s: float
    times: int | None = None
    """None goes on until the next signal."""

    @property
    def lasts_s(self) -> float:
        """Seconds until it is over; infinite where it goes on."""
        return math.inf if self.times is None else self.times * (self.on_s + self.off_s)


Light = Literal["on", "off", "as it was"] | Blink


@dataclass(frozen=True, slots=True)
class Pattern:
    """What each part does."""

    green: Light = "as it was"
    red: Light = "as it was"
    buzzer: Blink | None = None
    """A sound that ends; None leaves it as it was."""


PATTERNS = {
    Event.READY: Pattern(green="on", red="off"),
    Event.COUNTING: Pattern(green=Blink(0.5, 0.5), red="off"),
    Event.PAUSED: Pattern(green=Blink(0.1, 1.9), red="off"),
    Event.FIELD_COUNTED: Pattern(buzzer=Blink(0.05, 0.05, 1)),
    Event.REFUSED: Pattern(red=Blink(0.15, 0.15, 3), buzzer=Blink(0.05, 0.1, 2)),
    Event.DONE: Pattern(green="on", red="off", buzzer=Blink(0.2, 0.2, 3)),
    Event.FAULT: Pattern(green="off", red="on", buzzer=Blink(0.6, 0.3, 3)),
}
"""Times in seconds."""
