"""Presses written down beforehand, for demonstrations and unattended runs."""

import time
from collections.abc import Callable
from typing import Literal, Self

from pydantic import Field, model_validator

from leukoscope.controls.action import Action, Event, Identify, KeySource
from leukoscope.errors import ControlError
from leukoscope.schema import FrozenModel


class ScriptedPress(FrozenModel):
    """One press or scan, due after a time or after a number of polls; exactly one of the two is given."""

    action: Action | None = None
    """What is pressed; or give `sample_id`."""
    sample_id: str | None = None
    """What is scanned instead."""
    after_s: float | None = Field(default=None, ge=0)
    """Seconds after the control was first polled, which is when the instrument is ready."""
    after_polls: int | None = Field(default=None, ge=0)
    """Polls that pass without this press; 0 presses at the first."""

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        if (self.after_s is None) == (self.after_polls is None):
            raise ValueError("expected exactly one of after_s and after_polls")
        if (self.action is None) == (self.sample_id is None):
            raise ValueError("expected exactly one of action and sample_id")
        return self

    @property
    def event(self) -> Event:
        """What the control delivers."""
        if self.action is not None:
            return self.action
        return Identify(self.sample_id or "")


class ScriptedSettings(FrozenModel):
    """Presses in the order they are made."""

    driver: Literal["scripted"] = "scripted"
    presses: tuple[ScriptedPress, ...]
    """Each waits for the one before it."""

    def open(self, keys: KeySource | None = None) -> "Scripted":
        """Get ready to press; a window's `keys` are not needed."""
        return Scripted(self.presses, time.monotonic)


class Scripted:
    """Makes the presses of a script, one per poll, in their order."""

    def __init__(self, presses: tuple[ScriptedPress, ...], clock: Callable[[], float]) -> None:
        """`clock` tells seconds and only runs forward."""
        self._waiting = list(presses)
        self._clock = clock
        self._first_poll_s: float | None = None
        self._polls = 0
        self._closed = False

    def poll(self) -> Event | None:
        """The next event of the script once it is due, or None; never blocks.

        Raises:
            ControlError: it is closed.
        """
        if self._closed:
            raise ControlError("the scripted control is closed", "open it again")
        now_s = self._clock()
        if self._first_poll_s is None:
            self._first_poll_s = now_s
        elapsed_s, polls = now_s - self._first_poll_s, self._polls
        self._polls += 1
        if not self._waiting or not _due(self._waiting[0], elapsed_s, polls):
            return None
        return self._waiting.pop(0).event

    def close(self) -> None:
        """Press nothing more; safe to call twice."""
        self._closed = True


def _due(press: ScriptedPress, elapsed_s: float, polls: int) -> bool:
    if press.after_s is not None:
        return elapsed_s >= press.after_s
    return press.after_polls is not None and polls >= press.after_polls
