"""The keys pressed in a window; the window itself is handed in."""

import re
from collections import deque
from typing import Literal

from leukoscope.controls.action import Action, Event, KeySource
from leukoscope.controls.typing import ENTER, TypedKeys
from leukoscope.errors import ControlError
from leukoscope.schema import FrozenModel

_ACTIONS = {
    " ": Action.TOGGLE,
    "f": Action.FINISH,
    "d": Action.DISCARD,
    "q": Action.QUIT,
    "escape": Action.QUIT,
    "window closed": Action.QUIT,
    "left": Action.STAGE_LEFT,
    "right": Action.STAGE_RIGHT,
    "up": Action.STAGE_UP,
    "down": Action.STAGE_DOWN,
}
KEYS = "space: start, pause · f: finish · d: discard · i: specimen id · arrows: slide · q: quit"
"""What the window says about them; the id of a sentence in the catalogues."""
_NAMES = {"space": " ", "return": ENTER, "enter": ENTER, "keypad enter": ENTER, "tab": ENTER}
_KEYPAD = re.compile(r"\[(.)\]")


class WindowKeyboardSettings(FrozenModel):
    """The keyboard's keys, pressed in the window display; escape and closing the window quit too, and the letters of an
    id are capitals."""

    driver: Literal["window"] = "window"

    def open(self, keys: KeySource | None = None) -> "WindowKeyboard":
        """Listen to the window that is open already.

        Raises:
            ControlError: there is none.
        """
        if keys is None:
            raise ControlError('controls: driver "window" needs a display with driver "window"', "add one to displays")
        try:
            keys.show_keys(KEYS)
        except OSError as error:
            raise ControlError(f"the window's keys cannot be shown: {error}", "is the window still there?") from error
        return WindowKeyboard(keys)


class WindowKeyboard:
    """Keys of a window as actions."""

    def __init__(self, keys: KeySource) -> None:
        self._keys = keys
        self._hand = TypedKeys(_ACTIONS, capitals=True)
        self._events: deque[Event] = deque()
        self._closed = False

    def poll(self) -> Event | None:
        """The oldest event not yet delivered, or None; never blocks; other keys are ignored.

        Raises:
            ControlError: the window is gone.
        """
        if self._closed:
            raise ControlError("the window's keyboard is closed", "open it again")
        try:
            pressed = self._keys.pressed()
        except OSError as error:
            raise ControlError(f"the window's keys cannot be read: {error}", "is the window still there?") from error
        self._events.extend(event for event in map(self._hand.press, map(_key, pressed)) if event is not None)
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        """Stop listening; the window belongs to the display."""
        self._closed = True


def _key(name: str) -> str:
    """The key as `TypedKeys` knows it."""
    on_keypad = _KEYPAD.fullmatch(name)
    if on_keypad:
        return on_keypad[1]
    return name.lower() if name.lower() in _ACTIONS else _NAMES.get(name, name)
