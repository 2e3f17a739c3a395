"""From the key events of a scanner to its code: pure, with the keyboard's layout as a table."""

from typing import Literal

from leukoscope.specimen.sample_id import UNREADABLE

Layout = Literal["us", "de", "fr"]

_KEY_EVENT = 1
"""EV_KEY of linux/input-event-codes.h, like every number below."""
_UP, _DOWN = 0, 1
_ENDS = frozenset({15, 28, 96})
"""Tab and both Enter keys: what a scanner can be set to end a code with."""
_SHIFTS = frozenset({42, 54})
_MODIFIERS = frozenset({29, 97, 56, 100, 125, 126})
"""Ctrl, Alt, AltGr and the logo keys: a key pressed with them is no letter. Scanners send control characters so, as the
FNC1 of a GS1 code, which would otherwise be read as a bracket."""
_NUM_LOCK = 69
"""Some scanners press it before digits of the keypad, which are read as digits whatever it says."""
_SYNC_EVENT, _DROPPED = 0, 3
"""EV_SYN and SYN_DROPPED: the kernel had no room for some events."""
_LONGEST = 256
"""Characters kept of a code; the rest is dropped. No id may be so long, so a longer code is refused."""

REST_S = 2.0
"""What comes so soon after a code was given up may be its rest: read alone, the id of another specimen."""

_FIRST_KEYS = (2, 16, 30, 44)
"""Where the rows of digits, and of the upper, middle and lower letters begin."""
_ROWS: dict[Layout, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "us": (
        ("1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"),
        ("!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:"', "ZXCVBNM<>?"),
    ),
    "de": (
        ("1234567890ß´", "qwertzuiopü+", "asdfghjklöä", "yxcvbnm,.-"),
        ('!"§$%&/()=?`', "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ", "YXCVBNM;:_"),
    ),
    "fr": (
        ("&é\"'(-è_çà)=", "azertyuiop^$", "qsdfghjklmù", "wxcvbn,;:!"),
        ("1234567890°+", "AZERTYUIOP¨£", "QSDFGHJKLM%", "WXCVBN?./§"),
    ),
}
_SINGLE: dict[Layout, dict[int, str]] = {
    "us": {43: "\\|", 86: "<>"},
    "de": {43: "#'", 86: "<>"},
    "fr": {43: "*µ", 86: "<>"},
}
_KEYPAD = dict(zip((71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 98, 55), "789-456+1230./*", strict=True))
"""The same on every layout, shifted or not."""


class CodeReader:
    """Collects the characters of a code until Enter or Tab."""

    def __init__(self, layout: Layout, gap_s: float) -> None:
        """Begin without a code.

        Args:
            layout: the keyboard the scanner says it is.
            gap_s: seconds without a key after which what was begun is no code any more.
        """
        self._plain, self._shifted = _characters(layout)
        self._gap_s = gap_s
        self._held: set[int] = set()
        self._modifiers: set[int] = set()
        self._code = ""
        self._told = False
        self._last_s = 0.0

    def broken_off(self) -> str | None:
        """What was begun and got no end, with `UNREADABLE` at its end, once; None where nothing was begun.

        To be asked when no key came for `gap_s`.
        """
        if not self._code or self._told:
            return None
        code, self._code, self._told = self._code + UNREADABLE, UNREADABLE, True
        return code

    def event(self, kind: int, key: int, value: int, now_s: float) -> str | None:
        """The code that this event completes, or None; `UNREADABLE` stands in it for keys that are no characters.

        Args:
            kind: the event's type.
            key: its code, a key's number.
            value: 0 up, 1 down, 2 repeated.
            now_s: when it was pressed, seconds; by when it is read, a busy program would tear codes apart.
        """
        if (kind, key) == (_SYNC_EVENT, _DROPPED):
            self._held, self._modifiers = set(), set()
            self._add(UNREADABLE, now_s)
            return None
        if kind != _KEY_EVENT:
            return None
        for held, keys in ((self._held, _SHIFTS), (self._modifiers, _MODIFIERS)):
            if key in keys:
                (held.discard if value == _UP else held.add)(key)
                return None
        if value != _DOWN or key == _NUM_LOCK:
            return None
        if key in _ENDS:
            self._join(now_s)
            if self._modifiers:
                self._add(UNREADABLE, now_s)
            code, self._code, self._told = self._code, "", False
            return code or None
        characters = self._shifted if self._held else self._plain
        self._add(UNREADABLE if self._modifiers else characters.get(key, UNREADABLE), now_s)
        return None

    def _join(self, now_s: float) -> None:
        """Let go what was begun too long ago; its rest that comes now is no code by itself."""
        late_s = now_s - self._last_s - self._gap_s
        if self._code and late_s > 0:
            self._code, self._told = UNREADABLE if late_s < REST_S else "", False

    def _add(self, character: str, now_s: float) -> None:
        self._join(now_s)
        self._last_s = now_s
        self._code = (self._code + character)[:_LONGEST]


def _characters(layout: Layout) -> tuple[dict[int, str], dict[int, str]]:
    """Key number to character, without and with shift."""
    tables = []
    for shifted, rows in enumerate(_ROWS[layout]):
        table = {57: " "} | _KEYPAD
        for first, row in zip(_FIRST_KEYS, rows, strict=True):
            table |= {first + index: character for index, character in enumerate(row)}
        table |= {key: both[shifted] for key, both in _SINGLE[layout].items()}
        tables.append(table)
    return tables[0], tables[1]
