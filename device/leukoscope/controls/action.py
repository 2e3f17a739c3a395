"""What the technician can ask for, and what the controls say about the specimen."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Action(StrEnum):
    """What the technician can ask for."""

    TOGGLE = "toggle"
    """Start, pause or go on (a short press)."""
    FINISH = "finish"
    """End the sample now (a long press)."""
    DISCARD = "discard"
    """Throw the sample away (a very long press); asked back before it is done."""
    QUIT = "quit"
    """Leave the program (keyboard only)."""
    STAGE_LEFT = "stage_left"
    STAGE_RIGHT = "stage_right"
    STAGE_UP = "stage_up"
    STAGE_DOWN = "stage_down"


@dataclass(frozen=True, slots=True)
class Identify:
    """The technician says what the next specimen is called."""

    sample_id: str
    """As scanned or typed, nothing is checked yet; empty and complete when it was given up."""
    complete: bool = True
    """False while it is still being typed, so that it can be shown."""


Event = Action | Identify
"""Whatever a control delivers."""


class KeySource(Protocol):
    """A window that keys are pressed in."""

    def pressed(self) -> Sequence[str]:
        """Names of the keys pressed since the last call, oldest first: "space", "f", "left"…

        Raises:
            OSError: it is gone.
        """

    def show_keys(self, text: str) -> None:
        """Show in the window what the keys do.

        Raises:
            OSError: it is gone.
        """
