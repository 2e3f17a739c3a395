"""A scanner that is not there: the bytes of its kernel device come through a pipe, and evdev itself reads them."""

import os
import struct

from evdev import InputDevice, InputEvent, ecodes

US = {
    **{str(digit): getattr(ecodes, f"KEY_{digit}") for digit in range(10)},
    **{letter: getattr(ecodes, f"KEY_{letter.upper()}") for letter in "abcdefghijklmnopqrstuvwxyz"},
    "-": ecodes.KEY_MINUS,
    "/": ecodes.KEY_SLASH,
    " ": ecodes.KEY_SPACE,
    ".": ecodes.KEY_DOT,
}
"""The keys of a US keyboard by the kernel's own names."""


class PipedDevice(InputDevice):  # type: ignore[misc, unused-ignore]
    """evdev's InputDevice on a pipe; only what asks a real kernel device is left out."""

    def __init__(self, dev: str, readonly: bool = False) -> None:
        # The real one asks the kernel for the device's name and abilities, which a pipe has not.
        self.path, self.fd, self.grabbed = dev, int(dev), False

    def grab(self) -> None:
        self.grabbed = True


class ScannerWire:
    """Both ends of the pipe."""

    def __init__(self) -> None:
        self.devices: list[PipedDevice] = []
        self.problem: OSError | None = None
        self.at_s = 0.0
        """When the kernel sees the keys that are pressed, seconds."""
        self._ends: set[int] = set()
        self._writing = -1

    def connect(self, place: str) -> PipedDevice:
        if self.problem is not None:
            raise self.problem
        reading, self._writing = os.pipe()
        self._ends.add(self._writing)
        os.set_blocking(reading, False)
        device = PipedDevice(str(reading))
        self.devices.append(device)
        return device

    def send(self, *events: InputEvent) -> None:
        sec, usec = divmod(round(self.at_s * 1e6), 1_000_000)
        for event in events:
            self.write(struct.pack("llHHi", sec, usec, event.type, event.code, event.value))

    def write(self, events: bytes) -> None:
        """As the kernel packs them."""
        os.write(self._writing, events)

    def press(self, key: int, shift: bool = False) -> None:
        """As the kernel tells a key: with a scan code before and a report behind each change."""
        keys = [ecodes.KEY_LEFTSHIFT, key] if shift else [key]
        for value in (1, 0):
            for each in keys if value else reversed(keys):
                self.send(
                    InputEvent(0, 0, ecodes.EV_MSC, ecodes.MSC_SCAN, 458756),
                    InputEvent(0, 0, ecodes.EV_KEY, each, value),
                    InputEvent(0, 0, ecodes.EV_SYN, ecodes.SYN_REPORT, 0),
                )

    def type(self, text: str) -> None:
        for character in text:
            self.press(US[character.lower()], shift=character.isupper())

    def scan(self, *codes: str) -> None:
        for code in codes:
            self.type(code)
            self.press(ecodes.KEY_ENTER)

    def unplug(self) -> None:
        """Reading then fails as the kernel's ENODEV does."""
        self.problem = FileNotFoundError(2, "No such file or directory")
        for end in self._ends:
            os.close(end)
        self._ends.clear()
        for device in self.devices:
            if device.fd > -1:
                # A directory cannot be read, and says so with an OSError.
                folder = os.open("/", os.O_RDONLY)
                os.dup2(folder, device.fd)
                os.close(folder)

    def plug_in(self) -> None:
        self.problem = None
