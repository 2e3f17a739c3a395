"""All displays of a bench, told together."""

import time
from collections.abc import Sequence

from PIL import Image

from leukoscope.displays import Display
from leukoscope.displays.language import ENGLISH, Words
from leukoscope.displays.show import Attended, show_everywhere
from leukoscope.displays.state import Screen
from leukoscope.displays.window import Window
from leukoscope.errors import DisplayError
from leukoscope.specimen.frame import Frame


class Panel:
    """Every display of the bench; one that fails is tried again later and never stops an analysis."""

    def __init__(self, displays: Sequence[Display], words: Words = ENGLISH) -> None:
        self._words = words
        self._attended = [Attended(display) for display in displays]
        self._windows = [display for display in displays if isinstance(display, Window)]
        self.shown: Screen | None = None
        """What is on every display; None after one of them failed."""

    @property
    def window(self) -> Window | None:
        """The window, where there is one."""
        return self._windows[0] if self._windows else None

    def show(self, screen: Screen) -> list[DisplayError]:
        """Show a screen on each display; the errors of those that failed now."""
        errors = show_everywhere(screen, self._attended, time.monotonic(), self._words)
        # A display that failed must get this screen again once it has rested.
        self.shown = None if errors else screen
        return errors

    def show_field(self, frame: Frame) -> list[DisplayError]:
        """Show the live field where there is a window for it."""
        errors = []
        for window in self._windows:
            try:
                window.show_field(Image.fromarray(frame.pixels))
            except DisplayError as error:
                errors.append(error)
        return errors
