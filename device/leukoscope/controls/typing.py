"""Keys that mean actions, until the technician begins to type what the specimen is called."""

from collections.abc import Mapping

from leukoscope.controls.action import Action, Event, Identify
from leukoscope.specimen.sample_id import UNREADABLE

BEGIN = "i"
"""The key that begins an id."""
ENTER, BACKSPACE, ESCAPE = "enter", "backspace", "escape"
_LONGEST = 256
"""Characters kept; no id may be so long, so that a longer one is refused and not cut to another."""


class TypedKeys:
    """Turns keys into events; enter ends an id, and without letters or with escape it is given up."""

    def __init__(self, actions: Mapping[str, Action], *, capitals: bool = False) -> None:
        """Listen to keys, which are characters or names such as "enter"; control characters spoil an id.

        Args:
            actions: what each key means while no id is typed.
            capitals: ids get capital letters, for keys that do not tell them apart.
        """
        self._actions, self._capitals = actions, capitals
        self._typed: str | None = None

    def press(self, key: str) -> Event | None:
        """What the key means, or None for nothing."""
        if self._typed is None:
            if key.lower() == BEGIN:
                self._typed = ""
                return Identify("", complete=False)
            return self._actions.get(key)
        if key in (ENTER, ESCAPE):
            typed, self._typed = self._typed.strip(), None
            return Identify(typed if key == ENTER else "")
        if key == BACKSPACE:
            self._typed = self._typed[:-1]
        elif len(key) == 1 and len(self._typed) < _LONGEST:
            # A scanner that is a keyboard sends control characters, too; left out, they would leave another id.
            character = key if key.isprintable() else UNREADABLE
            self._typed += character.upper() if self._capitals else character
        else:
            return None
        return Identify(self._typed, complete=False)
