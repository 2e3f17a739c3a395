"""Keeps two programs from opening the same camera."""

import importlib
import os
from pathlib import Path
from typing import IO

from leukoscope.errors import CameraUnavailable


class Lock:
    """A file lock that the kernel drops when its holder ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Hold the lock.

        Raises:
            CameraUnavailable: another program holds it, or the file cannot be written.
        """
        fcntl = importlib.import_module("fcntl")  # Unix only; Windows has no Pi camera
        try:
            file = self._path.open("a+", encoding="ascii")
        except OSError as problem:
            raise CameraUnavailable(
                f"cannot write {self._path} ({problem.strerror}): set `lock_folder` to a folder this user may write"
            ) from problem
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise CameraUnavailable(
                f"the camera is already in use by process {holder} ({self._path}): stop that program first"
            ) from problem
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let go; safe to call twice. The file stays, so that nobody locks a deleted one."""
        if self._file is not None:
            self._file.close()
            self._file = None
