"""The keys pressed in a window; the window itself is handed in."""

from collections import deque
from collections.abc import Sequence
from typing import Literal, Protocol

from leukoscope.controls.action import Action
from leukoscope.errors import ControlError
from leukoscope.schema import FrozenModel

_ACTIONS = {
    "space": Action.TOGGLE,
    "f": Action.FINISH,
    "q": Action.QUIT,
    "escape": Action.QUIT,
    "window closed": Action.QUIT,
    "left": Action.STAGE_LEFT,
    "right": Action.STAGE_RIGHT,
    "up": Action.STAGE_UP,
    "down": Action.STAGE_DOWN,
}


class KeySource(Protocol):
    """Whatever has keys pressed in it."""

    def pressed(self) -> Sequence[str]:
        """Names of the keys pressed since the last call, oldest first: "space", "f", "left"…

        Raises:
            OSError: it is gone.
        """


class WindowKeyboardSettings(FrozenModel):
    """The keyboard's keys, pressed in the window display; escape and closing the window quit too."""

    driver: Literal["window"] = "window"

    def open(self, keys: KeySource) -> "WindowKeyboard":
        """Listen to the window that is open already."""
        return WindowKeyboard(keys)


class WindowKeyboard:
    """Keys of a window as actions."""

    def __init__(self, keys: KeySource) -> None:
        self._keys = keys
        self._actions: deque[Action] = deque()
        self._closed = False

    def poll(self) -> Action | None:
        """The oldest action not yet delivered, or None; never blocks; other keys are ignored.

        Raises:
            ControlError: the window is gone.
        """
        if self._closed:
            raise ControlError("the window's keyboard is closed")
        try:
            pressed = self._keys.pressed()
        except OSError as error:
            raise ControlError(f"the window's keys cannot be read: {error}") from error
        self._actions.extend(_ACTIONS[key] for key in pressed if key in _ACTIONS)
        return self._actions.popleft() if self._actions else None

    def close(self) -> None:
        """Stop listening; the window belongs to the display."""
        self._closed = True
