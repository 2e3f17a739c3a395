"""Keys that mean actions, until the technician begins to type what the specimen is called."""

from collections.abc import Mapping

from leukoscope.controls.action import Action, Event, Identify

BEGIN = "i"
"""The key that begins an id."""
ENTER, BACKSPACE, ESCAPE = "enter", "backspace", "escape"
_LONGEST = 64


class TypedKeys:
    """Turns keys into events; enter ends an id, and without letters or with escape it is given up."""

    def __init__(self, actions: Mapping[str, Action], *, capitals: bool = False) -> None:
        """Listen to keys, which are characters or names such as "enter".

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
        elif len(key) == 1 and key.isprintable() and len(self._typed) < _LONGEST:
            self._typed += key.upper() if self._capitals else key
        else:
            return None
        return Identify(self._typed, complete=False)
