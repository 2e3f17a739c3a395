"""A terminal that is not there: it obeys the escape sequences and knows what stands on it."""

import io
import re
from collections.abc import Iterator

import numpy as np
from PIL import Image

_TOKEN = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])|(.)", re.DOTALL)
_Cell = tuple[str, tuple[int, ...]]


class Paper(io.StringIO):
    """A text stream with a cursor."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[_Cell]] = [[]]
        self.row = 0
        self.cursor_shown = True
        self.unplugged = False
        self._colours: tuple[int, ...] = ()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.unplugged:
            raise OSError(5, "Input/output error")
        for private, numbers, code, letter in self._tokens(text):
            if letter == "\n":
                self.row += 1
                if self.row == len(self.rows):
                    self.rows.append([])
            elif letter:
                self.rows[self.row].append((letter, self._colours))
            elif private:
                self.cursor_shown = code == "h"
            else:
                self._execute(code, [int(number) for number in numbers.split(";") if number])
        return len(text)

    def _execute(self, code: str, numbers: list[int]) -> None:
        if code == "F":
            self.row = max(0, self.row - numbers[0])
        elif code == "J":
            self.rows[self.row :] = [[]]
        elif code == "m":
            self._colours = tuple(numbers)
        else:
            raise AssertionError(f"unexpected escape sequence {code}")

    @staticmethod
    def _tokens(text: str) -> Iterator[list[str]]:
        return (list(match.groups(default="")) for match in _TOKEN.finditer(text))

    def half_blocks(self) -> Image.Image:
        """The picture in colour, two rows per line."""
        pixels = []
        for row in filter(None, self.rows):
            assert {letter for letter, _ in row} == {"▀"}
            pixels.append([colours[2:5] for _, colours in row])
            pixels.append([colours[7:10] for _, colours in row])
        return Image.fromarray(np.array(pixels, np.uint8))

    def braille(self) -> Image.Image:
        """The picture in dots, 2x4 per character, from Unicode's own numbering of the dots."""
        bits = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 0), (3, 1)]
        written = [row for row in self.rows if row]
        dots = np.zeros((4 * len(written), 2 * len(written[0])), bool)
        for line, row in enumerate(written):
            for column, (letter, _) in enumerate(row):
                for bit, (down, across) in enumerate(bits):
                    dots[4 * line + down, 2 * column + across] = (ord(letter) - 0x2800) >> bit & 1
        return Image.fromarray(dots)
