"""Displays: whatever shows a picture. Drawing is pure and lives in screens.py."""

from typing import Annotated

from pydantic import Field

from leukoscope.displays.display import Display
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

__all__ = ["Display", "DisplaySettings"]
