"""The keyboard of the terminal the program was started in."""

import atexit
import os
import select
import sys
from collections import deque
from typing import Any, Literal

from leukoscope.controls.action import Action, Event, KeySource
from leukoscope.controls.typing import BACKSPACE, ENTER, ESCAPE, TypedKeys
from leukoscope.errors import ControlError
from leukoscope.schema import FrozenModel
from leukoscope.specimen.sample_id import UNREADABLE

_ACTIONS = {
    " ": Action.TOGGLE,
    "f": Action.FINISH,
    "F": Action.FINISH,
    "d": Action.DISCARD,
    "D": Action.DISCARD,
    "q": Action.QUIT,
    "Q": Action.QUIT,
    "up": Action.STAGE_UP,
    "down": Action.STAGE_DOWN,
    "right": Action.STAGE_RIGHT,
    "left": Action.STAGE_LEFT,
}
_NAMES = {b"\r": ENTER, b"\n": ENTER, b"\t": ENTER, b"\x7f": BACKSPACE, b"\x08": BACKSPACE}
_ARROWS = {b"A": "up", b"B": "down", b"C": "right", b"D": "left"}
_ESCAPE = b"\x1b"
_LEAD_INS = (b"[", b"O")
_LONGEST_SEQUENCE = 16
"""Bytes; whatever pretends to be longer than any real key is thrown away."""


class KeyboardSettings(FrozenModel):
    """Space starts, pauses and goes on; f finishes; d twice discards; i begins an id and enter ends it; q quits; the
    arrows move a simulated stage."""

    driver: Literal["keyboard"] = "keyboard"

    def open(self, keys: KeySource | None = None) -> "Keyboard":
        """Read single keys from standard input; a window's `keys` are not needed.

        Raises:
            ControlError: standard input is not a terminal.
        """
        if not sys.stdin.isatty():
            raise ControlError(
                "the keyboard control needs a terminal, but standard input is a file or pipe",
                'choose driver = "button" or "scripted"',
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
            raise ControlError("this system has no terminals", 'choose driver = "window"') from error
        self._descriptor = descriptor
        self._termios: Any = termios
        self._pending = b""
        self._hand = TypedKeys(_ACTIONS)
        self._events: deque[Event] = deque()
        self._closed = False
        try:
            self._before = termios.tcgetattr(descriptor)
            tty.setcbreak(descriptor)
        except (termios.error, OSError) as error:
            raise ControlError(
                f"standard input cannot be read key by key: {error}",
                "start it in a terminal, or leave the keyboard out of the settings",
            ) from error
        # After a crash the shell must echo again.
        atexit.register(self.close)

    def poll(self) -> Event | None:
        """The oldest event not yet delivered, or None; never blocks; other keys are ignored.

        Raises:
            ControlError: the terminal went away.
        """
        if self._closed:
            raise ControlError("the keyboard is closed", "open it again")
        self._pending, keys = parsed(self._pending + self._typed())
        self._events.extend(event for event in map(self._hand.press, keys) if event is not None)
        return self._events.popleft() if self._events else None

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
            raise ControlError(f"the terminal went away: {error}", "start it in a terminal that stays") from error
        if not typed:
            raise ControlError("the terminal went away: its input has ended", "start it in a terminal that stays")
        return typed


def parsed(typed: bytes) -> tuple[bytes, list[str]]:
    """The keys that the bytes of a terminal stand for, and the beginning of an escape sequence left at their end."""
    keys = []
    while typed:
        if typed[:1] != _ESCAPE:
            key = _NAMES.get(typed[:1]) or typed[:1].decode("ascii", "ignore") or _beyond_ascii(typed[0])
            typed = typed[1:]
        elif len(typed) == 1:
            break
        elif typed[1:2] not in _LEAD_INS:
            key, typed = ESCAPE, typed[1:]
        else:
            end = _end_of_sequence(typed)
            if end is None:
                break
            key = _ARROWS.get(typed[2:3], "") if end == 3 else ""
            typed = typed[end:]
        if key:
            keys.append(key)
    return typed, keys


def _beyond_ascii(byte: int) -> str:
    """One unreadable key for each character of UTF-8, whose later bytes are 0x80-0xBF."""
    return "" if 0x80 <= byte < 0xC0 else UNREADABLE


def _end_of_sequence(typed: bytes) -> int | None:
    """Where the escape sequence at the start ends (ECMA-48: its last byte is 0x40-0x7E), if it does."""
    for index in range(2, min(len(typed), _LONGEST_SEQUENCE)):
        if 0x40 <= typed[index] <= 0x7E:
            return index + 1
    return _LONGEST_SEQUENCE if len(typed) >= _LONGEST_SEQUENCE else None
