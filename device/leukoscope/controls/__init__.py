"""Controls: what the technician presses, types or scans."""

from typing import Annotated, Protocol

from pydantic import Field

from leukoscope.controls.action import Action, Event, Identify, KeySource
from leukoscope.controls.button import ButtonSettings
from leukoscope.controls.keyboard import KeyboardSettings
from leukoscope.controls.scanner import ScannerSettings
from leukoscope.controls.scripted import ScriptedSettings
from leukoscope.controls.window_keys import WindowKeyboardSettings

__all__ = ["Action", "Control", "ControlSettings", "Event", "Identify", "KeySource", "WindowKeyboardSettings"]

ControlSettings = Annotated[
    ButtonSettings | KeyboardSettings | ScannerSettings | WindowKeyboardSettings | ScriptedSettings,
    Field(discriminator="driver"),
]
"""Any control a settings file can name; `open` is handed the keys of the window, where there is one."""


class Control(Protocol):
    """A control that is open."""

    def poll(self) -> Event | None:
        """The oldest event not yet delivered, or None; never blocks.

        Raises:
            ControlError: the control stopped answering.
        """

    def close(self) -> None:
        """Release it; safe to call twice."""
