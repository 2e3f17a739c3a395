"""Buses that are not there: they take the bytes a driver sends and know what would be on the glass."""

import errno
import os
from typing import Any

import numpy as np
from PIL import Image

_ARGUMENTS = {
    "ssd1306": {
        0x20: 1,
        0x21: 2,
        0x22: 2,
        0x81: 1,
        0x8D: 1,
        0xA8: 1,
        0xD3: 1,
        0xD5: 1,
        0xD9: 1,
        0xDA: 1,
        0xDB: 1,
    },
    "sh1106": {0x81: 1, 0xA8: 1, 0xAD: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1},
}
"""Bytes that follow a command, from the two data sheets; everything else is one byte long."""


class OledGlass:
    """An SSD1306 or SH1106 with 64 rows: its memory, its address counters and whether it is switched on."""

    def __init__(self, chip: str) -> None:
        self.chip = chip
        self.power_cut()

    def power_cut(self) -> None:
        """Forget everything, as a module does whose plug slipped."""
        # An SH1106 has 132 columns of memory, of which the glass shows the middle 128.
        self.memory = np.full((8, 132), 0xAA, np.uint8)
        self.on = False
        self.contrast = 0x7F
        self._mirrored = {"columns": True, "rows": True}
        self._window = [0, 127, 0, 7]
        self._page = self._column = 0

    def command(self, sent: list[int]) -> None:
        arguments = _ARGUMENTS[self.chip]
        sent = list(sent)
        while sent:
            code = sent.pop(0)
            count = arguments.get(code, 0)
            self._execute(code, sent[:count])
            sent = sent[count:]

    def _execute(self, code: int, arguments: list[int]) -> None:
        if code in (0xAE, 0xAF):
            self.on = code == 0xAF
        elif code in (0xA0, 0xA1):
            self._mirrored["columns"] = code == 0xA0
        elif code in (0xC0, 0xC8):
            self._mirrored["rows"] = code == 0xC0
        elif code == 0x81:
            self.contrast = arguments[0]
        elif self.chip == "ssd1306" and code == 0x21:
            self._window[:2] = arguments
            self._column = arguments[0]
        elif self.chip == "ssd1306" and code == 0x22:
            self._window[2:] = arguments
            self._page = arguments[0]
        elif self.chip == "sh1106" and 0xB0 <= code <= 0xB7:
            self._page = code - 0xB0
        elif self.chip == "sh1106" and code <= 0x0F:
            self._column = self._column & 0xF0 | code
        elif self.chip == "sh1106" and code <= 0x1F:
            self._column = self._column & 0x0F | (code & 0x0F) << 4

    def data(self, sent: list[int]) -> None:
        for byte in sent:
            self.memory[self._page, min(self._column, 131)] = byte
            self._column += 1
            if self.chip == "ssd1306" and self._column > self._window[1]:
                self._column = self._window[0]
                self._page = self._page + 1 if self._page < self._window[3] else self._window[2]

    def seen(self) -> Image.Image:
        """The picture on the glass, mode "1", black while it is switched off."""
        if not self.on:
            return Image.new("1", (128, 64))
        first = 2 if self.chip == "sh1106" else 0
        pages = self.memory[:, first : first + 128]
        dots = np.unpackbits(pages[:, None, :], axis=1, bitorder="little").reshape(64, 128).astype(bool)
        if self._mirrored["columns"]:
            dots = dots[:, ::-1]
        if self._mirrored["rows"]:
            dots = dots[::-1]
        return Image.fromarray(dots)


class LcdGlass:
    """An ST7789 or ILI9341: a memory of 18-bit colours behind an address window."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self.power_cut()

    def power_cut(self) -> None:
        """Forget everything, as a module does whose plug slipped."""
        width, height = self._size
        self.memory = np.full((height, width, 3), 0x80, np.uint8)
        self.on = self.awake = False
        self._code = 0
        self._arguments: list[int] = []
        self._stream = bytearray()
        self._window = [0, width - 1, 0, height - 1]

    def command(self, sent: list[int]) -> None:
        self._finish()
        (self._code,) = sent
        self._arguments = []
        if self._code in (0x28, 0x29):
            self.on = self._code == 0x29
        elif self._code == 0x11:
            self.awake = True

    def data(self, sent: Any) -> None:
        if self._code == 0x2C:
            self._stream += bytes(sent)
            return
        self._arguments += list(sent)
        if len(self._arguments) == 4 and self._code in (0x2A, 0x2B):
            a, b, c, d = self._arguments
            place = 0 if self._code == 0x2A else 2
            self._window[place : place + 2] = [a << 8 | b, c << 8 | d]

    def _finish(self) -> None:
        if self._stream:
            left, right, top, bottom = self._window
            shape = (bottom - top + 1, right - left + 1, 3)
            pixels = np.frombuffer(bytes(self._stream), np.uint8).reshape(shape)
            self.memory[top : bottom + 1, left : right + 1] = pixels & 0xFC
            self._stream = bytearray()

    def seen(self) -> Image.Image:
        """The picture on the glass, black while it is switched off or asleep."""
        self._finish()
        if not (self.on and self.awake):
            return Image.new("RGB", self._size)
        return Image.fromarray(self.memory)


class I2cWire:
    """An SMBus with one OLED on it, in the words of smbus2."""

    def __init__(self, glass: OledGlass) -> None:
        self._glass = glass
        self.unplugged = False

    def write_i2c_block_data(self, address: int, register: int, sent: list[int]) -> None:
        if self.unplugged or address != 0x3C:
            raise OSError(errno.EREMOTEIO, os.strerror(errno.EREMOTEIO))
        if register == 0x00:
            self._glass.command(sent)
        else:
            self._glass.data(sent)


class SpiWire:
    """A SPI port in the words of spidev; the data/command line is read from the pins."""

    def __init__(self, glass: OledGlass | LcdGlass, lines: Any, dc_pin: int) -> None:
        self._glass = glass
        self._lines = lines
        self._dc_pin = dc_pin
        self.max_speed_hz = 0
        self.mode = 0
        self.unplugged = False
        self.closed = False

    def open(self, port: int, device: int) -> None:
        assert (port, device) == (0, 0)

    def writebytes(self, sent: Any) -> None:
        if self.unplugged:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if self._lines.level(self._dc_pin):
            self._glass.data(sent)
        else:
            self._glass.command(sent)

    def close(self) -> None:
        self.closed = True
