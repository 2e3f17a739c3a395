"""A network of their own for some processes, joined to this machine by a cable that can be pulled; needs root."""

import os
import subprocess
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from fleet_simulation.postgres import ServerError

BROKER_SIDE = "10.213.77.1"
_DEVICE_SIDE = "10.213.77.2"


class CuttableNetwork:
    """A network namespace joined to this machine by one virtual cable."""

    def __init__(self, here: Sequence[str] = (f"{BROKER_SIDE}/30",), there: str = f"{_DEVICE_SIDE}/30") -> None:
        """Prepare it.

        Args:
            here: addresses of this machine's end, each with its prefix length.
            there: address of the other end.
        """
        self._addresses, self._address = tuple(here), there
        self._space = f"leukoscope-{os.getpid()}-{there.partition('/')[0]}"
        number = there.partition("/")[0].rpartition(".")[2]
        self._here, self._there = f"lk{os.getpid()}a{number}", f"lk{os.getpid()}b{number}"

    @property
    def prefix(self) -> list[str]:
        """What a command is put behind to run in there."""
        return ["ip", "netns", "exec", self._space]

    def cut(self) -> None:
        """Pull the cable."""
        _ip("-n", self._space, "link", "set", self._there, "down")

    def mend(self) -> None:
        """Put it back."""
        _ip("-n", self._space, "link", "set", self._there, "up")

    def __enter__(self) -> Self:
        """Make it.

        Raises:
            ServerError: this machine does not permit it.
        """
        try:
            _ip("netns", "add", self._space)
            _ip("link", "add", self._here, "type", "veth", "peer", "name", self._there, "netns", self._space)
            for address in self._addresses:
                _ip("addr", "add", address, "dev", self._here)
            _ip("link", "set", self._here, "up")
            _ip("-n", self._space, "addr", "add", self._address, "dev", self._there)
            for device in ("lo", self._there):
                _ip("-n", self._space, "link", "set", device, "up")
        except ServerError as error:
            self._remove()
            raise ServerError(f"{error}; network namespaces need root: try --cut sigstop") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def _remove(self) -> None:
        # Its end of the cable goes with it, and the other end with that.
        subprocess.run(["ip", "netns", "delete", self._space], capture_output=True, check=False)


def _ip(*words: str) -> None:
    try:
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ServerError("no program ip found: apt-get install iproute2") from error
    if done.returncode:
        raise ServerError(f"ip {' '.join(words)}: {done.stderr.strip()}")
