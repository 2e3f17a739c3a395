"""A supervisor's end of the notify socket, as systemd has it."""

import socket
from pathlib import Path
from types import TracebackType
from typing import Self


class Supervisor:
    """Hears what a program tells; use as a context."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._lines: list[str] = []

    def __enter__(self) -> Self:
        self._socket.bind(self.address)
        self._socket.setblocking(False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def heard(self) -> list[str]:
        """Every line until now, oldest first."""
        while True:
            try:
                self._lines += self._socket.recv(4096).decode().split("\n")
            except BlockingIOError:
                return list(self._lines)

    def pings(self) -> int:
        """How often the watchdog was fed."""
        return self.heard().count("WATCHDOG=1")
