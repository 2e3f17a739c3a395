"""Whether a device's publisher is at work, told by a lock that the kernel drops when its process ends."""

import importlib
from pathlib import Path
from typing import IO


class RunningLock:
    """A mark beside the outbox; it hinders nobody, and where it cannot be made nobody is told."""

    def __init__(self, outbox: Path) -> None:
        self._path = outbox.with_name(f"{outbox.name}.sending")
        self._file: IO[bytes] | None = None

    def show(self) -> bool:
        """Leave the mark; False where another publisher has left it, or the folder takes none."""
        fcntl = importlib.import_module("fcntl")  # Unix only, as is the device
        file = None
        try:
            file = self._path.open("ab")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if file is not None:
                file.close()
            return False
        self._file = file
        return True

    def end(self) -> None:
        """Take it away; safe to call twice. The file stays, so that nobody locks a deleted one."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def seen(self) -> bool:
        """Somebody else has left it and is still running."""
        if not self._path.exists() or self.show():
            self.end()
            return False
        return True
