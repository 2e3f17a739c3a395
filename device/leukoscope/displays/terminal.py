"""A terminal as a display: two pixels per character in colour, or eight dots of braille."""

import atexit
import os
import sys
from collections.abc import Callable
from typing import ClassVar, Literal, TextIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from leukoscope.displays.display import BaseDisplaySettings, DisplayDefaults
from leukoscope.displays.picture import fitted
from leukoscope.errors import DisplayError

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
CLEAR_TO_END = "\x1b[J"
_BRAILLE = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])


class TerminalSettings(BaseDisplaySettings):
    """The terminal the program was started in."""

    in_terminal: ClassVar[bool] = True
    driver: Literal["terminal"] = "terminal"
    width: int = Field(default=128, ge=96, le=1024)
    """Pixels; one column each in colour, half a column in monochrome."""
    height: int = Field(default=64, ge=32, le=1024)
    """Pixels; half a line each in colour, a quarter of a line in monochrome."""
    monochrome: bool = True
    """Braille dots, which make 128x64 fit into 64 columns and 16 lines; False for blocks in colour."""

    def open(self) -> "Terminal":
        """Use standard output.

        Raises:
            DisplayError: standard output is not a terminal.
        """
        if not sys.stdout.isatty():
            raise DisplayError(
                "the terminal display needs a terminal, but standard output goes to a file or pipe",
                'choose driver = "snapshot", or leave the display out',
            )
        return Terminal(sys.stdout, (self.width, self.height), self.monochrome, _columns_and_lines)


def _columns_and_lines() -> tuple[int, int]:
    terminal = os.get_terminal_size(sys.stdout.fileno())
    return terminal.columns, terminal.lines


class Terminal(DisplayDefaults):
    """Draws over its own last picture; a picture too large for the terminal is shrunk to fit."""

    def __init__(
        self,
        stream: TextIO,
        size: tuple[int, int],
        monochrome: bool,
        columns_and_lines: Callable[[], tuple[int, int]],
    ) -> None:
        self._stream = stream
        self._size = size
        self._monochrome = monochrome
        self._columns_and_lines = columns_and_lines
        self._last: Image.Image | None = None
        self._lines_drawn = 0
        self._closed = False
        # A crash must not leave the operator without a cursor.
        atexit.register(self.close)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self._size

    @property
    def monochrome(self) -> bool:
        """True for braille dots."""
        return self._monochrome

    def show(self, image: Image.Image) -> None:
        """Draw the picture where the last one was.

        Raises:
            DisplayError: the terminal went away, or the picture has another size than `size`.
        """
        if self._closed:
            raise DisplayError("the terminal display is closed", "open it again")
        picture = fitted(image, self._size, self._monochrome)
        if picture == self._last:
            return
        try:
            fitting = self._shrunk(picture)
            lines = braille(fitting) if self._monochrome else half_blocks(fitting)
            back = f"\x1b[{self._lines_drawn}F" if self._lines_drawn else HIDE_CURSOR
            self._stream.write(back + CLEAR_TO_END + "".join(f"{line}\n" for line in lines))
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise DisplayError(
                f"the terminal cannot be written to: {error}", "start it in a terminal that stays"
            ) from error
        self._lines_drawn, self._last = len(lines), picture.copy()

    def close(self) -> None:
        """Leave the last picture and bring the cursor back; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        if not self._lines_drawn:
            return
        try:
            self._stream.write(SHOW_CURSOR)
            self._stream.flush()
        except (OSError, ValueError):
            return  # the terminal is gone, and its cursor with it

    def _shrunk(self, picture: Image.Image) -> Image.Image:
        columns, lines = self._columns_and_lines()
        across, down = (2, 4) if self._monochrome else (1, 2)
        # One line stays free, or the newline behind the last one would scroll the picture away.
        room = (columns * across, (lines - 1) * down)
        scale = min(1.0, room[0] / picture.width, room[1] / picture.height)
        if scale == 1.0:
            return picture
        small = (max(1, int(picture.width * scale)), max(1, int(picture.height * scale)))
        grey_or_colour = picture.convert("L" if self._monochrome else "RGB")
        return fitted(grey_or_colour.resize(small, Image.Resampling.BOX), small, self._monochrome)


def half_blocks(picture: Image.Image) -> list[str]:
    """An RGB picture as lines of upper half blocks in 24-bit colour, two rows of pixels per line."""
    pixels = _padded(np.asarray(picture), 2, 1)
    lines = []
    for row in range(0, pixels.shape[0], 2):
        line, before = "", ""
        for upper, lower in zip(pixels[row].tolist(), pixels[row + 1].tolist(), strict=True):
            colours = "\x1b[38;2;{};{};{};48;2;{};{};{}m".format(*upper, *lower)
            line += "▀" if colours == before else f"{colours}▀"
            before = colours
        lines.append(f"{line}\x1b[0m")
    return lines


def braille(picture: Image.Image) -> list[str]:
    """A one-bit picture as lines of braille, 2x4 dots per character."""
    dots = _padded(np.asarray(picture, dtype=np.uint8), 4, 2)
    rows, columns = dots.shape[0] // 4, dots.shape[1] // 2
    cells = dots.reshape(rows, 4, columns, 2).transpose(0, 2, 1, 3)
    codes = (cells * _BRAILLE).sum(axis=(2, 3)) + 0x2800
    return ["".join(map(chr, line)) for line in codes.tolist()]


def _padded(pixels: NDArray[np.uint8], down: int, across: int) -> NDArray[np.uint8]:
    extra = [(0, -pixels.shape[0] % down), (0, -pixels.shape[1] % across)]
    return np.pad(pixels, extra + [(0, 0)] * (pixels.ndim - 2))
