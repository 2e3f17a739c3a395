"""One screen on every display; a display that fails rests a while and never stops an analysis."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from PIL.Image import Image

from leukoscope.displays import Display
from leukoscope.displays.language import ENGLISH, Words
from leukoscope.displays.screens import draw
from leukoscope.displays.state import Screen
from leukoscope.errors import DisplayError


@dataclass(slots=True)
class Attended:
    """A display, and when it may be tried again after it failed."""

    display: Display
    retry_s: float = 5.0
    """Seconds a failed display is left alone; a dead bus can block for long at each attempt."""
    resting_until_s: float = -inf


def show_everywhere(
    screen: Screen, displays: Iterable[Attended], now_s: float, words: Words = ENGLISH
) -> list[DisplayError]:
    """Draw the screen for each display in its own size; returns the errors of those that failed now.

    `now_s` is any clock that only runs forward. A display that rests is passed over without an error;
    the next call after its rest shows it the screen of that moment.
    """
    drawn: dict[tuple[tuple[int, int], bool], Image] = {}
    errors = []
    for attended in displays:
        if now_s < attended.resting_until_s:
            continue
        display = attended.display
        kind = (display.size, display.monochrome)
        if kind not in drawn:
            drawn[kind] = draw(screen, *kind, words)
        try:
            display.show(drawn[kind])
        except DisplayError as error:
            attended.resting_until_s = now_s + attended.retry_s
            errors.append(error)
    return errors
