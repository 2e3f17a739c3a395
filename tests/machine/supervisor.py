"""A supervisor's end of the notify socket, as systemd has it."""

import select
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from leukoscope.system.sd_notify import Notify, notifier


class Supervisor:
    """Reads what a program tells; use as a context.

    A thread empties the socket all the time, as systemd does: the kernel holds 10 unread messages
    (net.unix.max_dgram_qlen; systemd raises it to 512 where it has booted the machine) and refuses the next.
    """

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._lines: list[str] = []
        self._reading = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._read_on, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        self._socket.bind(self.address)
        self._socket.setblocking(False)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._thread.join()
        self._socket.close()

    def signal(self, lines: str) -> bool:
        """Speak to this supervisor, and wait where its socket is full: for bursts that no program sends."""
        signal: Notify = notifier({"NOTIFY_SOCKET": self.address})
        while not signal(lines):
            time.sleep(0.001)
        return True

    def heard(self) -> list[str]:
        """Every line until now, oldest first."""
        self._empty()
        return list(self._lines)

    def pings(self) -> int:
        """How often the watchdog was fed."""
        return self.heard().count("WATCHDOG=1")

    def _read_on(self) -> None:
        while not self._closing.is_set():
            if select.select([self._socket], [], [], 0.05)[0]:
                self._empty()

    def _empty(self) -> None:
        with self._reading:
            while True:
                try:
                    self._lines += self._socket.recv(4096).decode().split("\n")
                except BlockingIOError:
                    return
