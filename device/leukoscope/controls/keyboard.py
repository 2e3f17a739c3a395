"""The keyboard of the terminal the program was started in."""

import atexit
import os
import select
import sys
from collections import deque
from typing import Any, Literal

from leukoscope.controls.action import Action
from leukoscope.errors import ControlError
from leukoscope.schema import FrozenModel

_KEYS = {
    b" ": Action.TOGGLE,
    b"f": Action.FINISH,
    b"F": Action.FINISH,
    b"q": Action.QUIT,
    b"Q": Action.QUIT,
}
_ARROWS = {
    b"A": Action.STAGE_UP,
    b"B": Action.STAGE_DOWN,
    b"C": Action.STAGE_RIGHT,
    b"D": Action.STAGE_LEFT,
}
_ESCAPE = b"\x1b"
_LEAD_INS = (b"[", b"O")
_LONGEST_SEQUENCE = 16
"""Bytes; whatever pretends to be longer than any real key is thrown away."""


class KeyboardSettings(FrozenModel):
    """Space starts, pauses and goes on; f finishes; q quits; the arrows move a simulated stage."""

    driver: Literal["keyboard"] = "keyboard"

    def open(self) -> "Keyboard":
        """Read single keys from standard input.

        Raises:
            ControlError: standard input is not a terminal.
        """
        if not sys.stdin.isatty():
            raise ControlError(
                "the keyboard control needs a terminal, but standard input is a file or pipe: "
                'choose driver = "button" or "scripted"'
            )
        return Keyboard(sys.stdin.fileno())


class Keyboard:
    """Keys of a terminal without waiting for the return key; the terminal is restored on close and exit."""

    def __init__(self, descriptor: int) -> None:
        """`descriptor` is an open terminal.

        Raises:
            ControlError: it is not a terminal, or the system knows none.
        """
        try:
            import termios
            import tty
        except ImportError as error:
            raise ControlError('this system has no terminals: choose driver = "window"') from error
        self._descriptor = descriptor
        self._termios: Any = termios
        self._pending = b""
        self._actions: deque[Action] = deque()
        self._closed = False
        try:
            self._before = termios.tcgetattr(descriptor)
            tty.setcbreak(descriptor)
        except (termios.error, OSError) as error:
            raise ControlError(f"standard input cannot be read key by key: {error}") from error
        # After a crash the shell must echo again.
        atexit.register(self.close)

    def poll(self) -> Action | None:
        """The oldest action not yet delivered, or None; never blocks; other keys are ignored.

        Raises:
            ControlError: the terminal went away.
        """
        if self._closed:
            raise ControlError("the keyboard is closed")
        self._pending, actions = parsed(self._pending + self._typed())
        self._actions.extend(actions)
        return self._actions.popleft() if self._actions else None

    def close(self) -> None:
        """Give the terminal back as it was; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        try:
            self._termios.tcsetattr(self._descriptor, self._termios.TCSADRAIN, self._before)
        except (self._termios.error, OSError):
            return  # the terminal is gone; there is nothing to give back

    def _typed(self) -> bytes:
        try:
            ready, _, _ = select.select([self._descriptor], [], [], 0)
            if not ready:
                return b""
            typed = os.read(self._descriptor, 256)
        except (OSError, ValueError) as error:
            raise ControlError(f"the terminal went away: {error}") from error
        if not typed:
            raise ControlError("the terminal went away: its input has ended")
        return typed


def parsed(typed: bytes) -> tuple[bytes, list[Action]]:
    """What the bytes of a terminal mean, and the beginning of an escape sequence left at their end."""
    actions = []
    while typed:
        if typed[:1] != _ESCAPE:
            action = _KEYS.get(typed[:1])
            typed = typed[1:]
        elif len(typed) == 1:
            break
        elif typed[1:2] not in _LEAD_INS:
            action, typed = None, typed[1:]
        else:
            end = _end_of_sequence(typed)
            if end is None:
                break
            action = _ARROWS.get(typed[2:3]) if end == 3 else None
            typed = typed[end:]
        if action:
            actions.append(action)
    return typed, actions


def _end_of_sequence(typed: bytes) -> int | None:
    """Where the escape sequence at the start ends (ECMA-48: its last byte is 0x40-0x7E), if it does."""
    for index in range(2, min(len(typed), _LONGEST_SEQUENCE)):
        if 0x40 <= typed[index] <= 0x7E:
            return index + 1
    return _LONGEST_SEQUENCE if len(typed) >= _LONGEST_SEQUENCE else None
