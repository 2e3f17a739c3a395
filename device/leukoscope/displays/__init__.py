"""Displays: whatever shows a picture. Drawing is pure and lives in screens.py."""

from typing import Annotated, Protocol

from PIL.Image import Image
from pydantic import Field

from leukoscope.displays.lcd import LcdSettings
from leukoscope.displays.oled import OledSettings
from leukoscope.displays.snapshot import SnapshotSettings
from leukoscope.displays.terminal import TerminalSettings
from leukoscope.displays.window import WindowSettings

DisplaySettings = Annotated[
    OledSettings | LcdSettings | WindowSettings | TerminalSettings | SnapshotSettings,
    Field(discriminator="driver"),
]
"""Any display a settings file can name."""


class Display(Protocol):
    """A display that is open."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""

    @property
    def monochrome(self) -> bool:
        """True for a one-bit display."""

    def show(self, image: Image) -> None:
        """Put a picture of exactly `size` on the glass.

        Raises:
            DisplayError: the display stopped answering. The caller goes on without it.
        """

    def close(self) -> None:
        """Clear and release the display; safe to call twice."""
