"""A USB barcode scanner, which to the computer is a keyboard. Not run on hardware by us."""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from leukoscope.controls.action import Event, Identify, KeySource
from leukoscope.controls.scancodes import CodeReader, Layout
from leukoscope.errors import ControlError
from leukoscope.schema import FrozenModel
from leukoscope.sentence import Sentence

RETRY_S = 2.0
"""Seconds between two attempts to open a scanner that was unplugged."""


class ScannerSettings(FrozenModel):
    """A scanner that ends each code with Enter or Tab; no other program sees its keys."""

    driver: Literal["scanner"] = "scanner"
    device: Path
    """/dev/input/by-id/…-event-kbd, which stays the same when it is plugged in anew."""
    layout: Layout = "us"
    """The keyboard layout the scanner is set to; "us" as it leaves the factory."""
    gap_s: float = Field(default=1.0, gt=0, le=10)
    """Seconds without a key after which a code that was begun is refused."""

    def open(self, keys: KeySource | None = None) -> "Scanner":
        """Open and grab the scanner; a window's `keys` are not needed.

        Raises:
            ControlError: evdev is not installed, or the scanner is missing, not readable or in use.
        """
        try:
            from evdev import InputDevice
        except ImportError as error:
            raise ControlError(
                f"the scanner needs a package that is missing ({error})",
                'apt install python3-evdev, or pip install "leukoscope[board]"',
            ) from error
        return Scanner(self, InputDevice, time.monotonic)


class Scanner:
    """Codes from a scanner, which may be unplugged and come back."""

    def __init__(self, settings: ScannerSettings, connect: Callable[[str], Any], clock: Callable[[], float]) -> None:
        """Open and grab it.

        Args:
            settings: which scanner.
            connect: evdev.InputDevice, or what behaves like it.
            clock: seconds, only running forward.

        Raises:
            ControlError: it is missing, not readable or in use.
        """
        self._settings, self._connect, self._clock = settings, connect, clock
        self._codes: deque[str] = deque()
        self._closed = False
        self._retry_at_s = 0.0
        self._read_at_s = clock()
        self._reader = CodeReader(settings.layout, settings.gap_s)
        self._device: Any = self._opened()

    def poll(self) -> Event | None:
        """The oldest code not yet delivered, or None; never blocks.

        Raises:
            ControlError: the scanner is closed, or was unplugged; unplugging raises once, then it is looked for again.
        """
        if self._closed:
            raise ControlError("the scanner is closed", "open it again")
        if self._device is None:
            self._look_again()
        else:
            self._read()
        return Identify(self._codes.popleft()) if self._codes else None

    def close(self) -> None:
        """Let others have it; safe to call twice."""
        self._closed = True
        self._drop()

    def _opened(self) -> Any:
        place = self._settings.device
        try:
            device = self._connect(str(place))
        except FileNotFoundError as error:
            raise ControlError(f"no scanner at {place}", "is it plugged in?") from error
        except PermissionError as error:
            raise ControlError(f"the scanner at {place} cannot be read", "add the user to the group input") from error
        except OSError as error:
            raise ControlError(
                f"{place} is no scanner ({error.strerror})", "choose a device in /dev/input/by-id"
            ) from error
        try:
            # Otherwise its keys would also reach the console, and a q in a code would end a program there.
            device.grab()
        except OSError as error:
            device.close()
            raise ControlError(f"the scanner at {place} is held by another program", "stop that first") from error
        return device

    def _read(self) -> None:
        try:
            while (event := self._device.read_one()) is not None:
                self._read_at_s = self._clock()
                if code := self._reader.event(event.type, event.code, event.value, event.timestamp()):
                    self._codes.append(code)
        except OSError as error:
            self._drop()
            self._retry_at_s = self._clock() + RETRY_S
            raise ControlError(
                Sentence("the scanner at {place} is gone", place=self._settings.device), "plug it in"
            ) from error
        if self._clock() - self._read_at_s > self._settings.gap_s and (code := self._reader.broken_off()):
            self._codes.append(code)

    def _look_again(self) -> None:
        if self._clock() < self._retry_at_s:
            return
        try:
            self._device = self._opened()
        except ControlError:
            # Reported when it went away; the technician sees it come back by the first code.
            self._retry_at_s = self._clock() + RETRY_S
        else:
            self._reader = CodeReader(self._settings.layout, self._settings.gap_s)

    def _drop(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            # evdev fails to give a device back that is gone; the kernel has done so already.
            try:
                device.close()
            except OSError:
                return
