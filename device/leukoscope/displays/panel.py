"""All displays of a bench as one."""

import time
from collections.abc import Sequence

from PIL import Image

from leukoscope.displays.display import Display, Keys
from leukoscope.displays.language import ENGLISH, Words
from leukoscope.displays.show import Attended, show_everywhere
from leukoscope.displays.state import Screen
from leukoscope.errors import DisplayError
from leukoscope.specimen.frame import Frame


class Panel:
    """Every display of the bench; one that fails is tried again later and never stops an analysis."""

    def __init__(self, displays: Sequence[Display], words: Words = ENGLISH) -> None:
        self._words = words
        self._attended = [Attended(display) for display in displays]
        self._displays = tuple(displays)
        self.shown: Screen | None = None
        """What is on every display; None after one of them failed."""

    @property
    def keys(self) -> Keys | None:
        """The keys of the first display that takes any; None without one."""
        keys = next((display.keys for display in self._displays if display.keys is not None), None)
        return None if keys is None else _KeysInWords(keys, self._words)

    @property
    def shows_field(self) -> bool:
        """Whether a display has a place for the live micrograph."""
        return any(display.shows_field for display in self._displays)

    def show(self, screen: Screen) -> list[DisplayError]:
        """Show a screen on each display; the errors of those that failed now."""
        errors = show_everywhere(screen, self._attended, time.monotonic(), self._words)
        # A display that failed must get this screen again once it has rested.
        self.shown = None if errors else screen
        return errors

    def show_field(self, frame: Frame) -> list[DisplayError]:
        """Show the live field on each display that has a place for it; the errors of those that failed."""
        errors = []
        for display in self._displays:
            if not display.shows_field:
                continue
            try:
                display.show_field(Image.fromarray(frame.pixels))
            except DisplayError as error:
                errors.append(error)
        return errors


class _KeysInWords:
    """Keys whose meaning is shown in the panel's language."""

    def __init__(self, keys: Keys, words: Words) -> None:
        self._words, self.pressed, self._show = words, keys.pressed, keys.show_keys

    def show_keys(self, text: str) -> None:
        self._show(self._words(text))
