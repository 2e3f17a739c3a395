"""What a push button means: a pure state machine on its edges, with the time handed in.

Libraries that debounce by ignoring edges lose presses, and timers of their own report a press as held
after it was let go; here every decision follows from the edges and their times alone, so it does not
matter how seldom the caller asks.
"""

from dataclasses import dataclass
from enum import StrEnum


class Press(StrEnum):
    """What the button was used for."""

    SHORT = "short"
    """Pressed and let go before the long press; reported when it is let go."""
    LONG = "long"
    """Held and let go before the very long press; reported when it is let go."""
    VERY_LONG = "very_long"
    """Held much longer; reported while it is still down, and nothing else follows."""
    STUCK = "stuck"
    """Held for so long that no person can mean it; reported once, until it is let go."""


@dataclass(frozen=True, slots=True)
class PressTimes:
    """The times that tell presses apart, in seconds."""

    debounce_s: float = 0.03
    """A level that does not last this long is chatter of the contact."""
    long_s: float = 1.0
    very_long_s: float = 4.0
    stuck_s: float = 30.0

    def __post_init__(self) -> None:
        times = (self.debounce_s, self.long_s, self.very_long_s, self.stuck_s)
        if not 0 <= times[0] < times[1] < times[2] < times[3]:
            raise ValueError(f"expected debounce_s < long_s < very_long_s < stuck_s, found {times}")


class PressReader:
    """Turns edges into presses."""

    def __init__(self, times: PressTimes, pressed: bool, at_s: float) -> None:
        """`pressed` is the level at the start; a button held then is not a press until it is let go."""
        self._times = times
        self._now_s = at_s
        self._settled = pressed
        self._level = pressed
        self._level_since_s = at_s
        self._down_since_s = at_s
        self._held_reported = pressed
        self._stuck_reported = False
        self._presses: list[Press] = []

    def edge(self, pressed: bool, at_s: float) -> None:
        """The contact opened or closed; times that run backwards count as the latest one known."""
        self._advance(at_s)
        if pressed != self._level:
            self._level = pressed
            self._level_since_s = self._now_s

    def presses(self, now_s: float) -> list[Press]:
        """What was pressed since the last call, oldest first."""
        self._advance(now_s)
        taken, self._presses = self._presses, []
        return taken

    def _advance(self, now_s: float) -> None:
        self._now_s = max(self._now_s, now_s)
        changing = self._level != self._settled
        if changing and self._now_s - self._level_since_s >= self._times.debounce_s:
            self._settle()
        elif not changing:
            self._held_until(self._now_s)

    def _settle(self) -> None:
        if self._level:
            self._down_since_s = self._level_since_s
            self._settled, self._held_reported, self._stuck_reported = True, False, False
            self._held_until(self._now_s)
            return
        self._held_until(self._level_since_s)
        if not self._held_reported:
            held_s = self._level_since_s - self._down_since_s
            self._presses.append(Press.LONG if held_s >= self._times.long_s else Press.SHORT)
        self._settled = False

    def _held_until(self, at_s: float) -> None:
        if not self._settled:
            return
        held_s = at_s - self._down_since_s
        if held_s >= self._times.very_long_s and not self._held_reported:
            self._held_reported = True
            self._presses.append(Press.VERY_LONG)
        if held_s >= self._times.stuck_s and not self._stuck_reported:
            self._stuck_reported = True
            self._presses.append(Press.STUCK)
