"""Keeps two programs from opening the same camera."""

from pathlib import Path

from leukoscope.errors import CameraUnavailable
from leukoscope.system.durable_files import FileLock, LockHeld


class CameraLock:
    """A `FileLock` whose errors name the camera's trouble."""

    def __init__(self, path: Path) -> None:
        self._lock = FileLock(path)

    def take(self) -> None:
        """Hold the lock.

        Raises:
            CameraUnavailable: another program holds it, or the file cannot be written.
        """
        try:
            self._lock.take()
        except LockHeld as held:
            raise CameraUnavailable(
                f"the camera is already in use by {held.holder} ({held.path})", "stop that program first"
            ) from held
        except OSError as error:
            raise CameraUnavailable(
                f"cannot write {self._lock.path} ({error.strerror})",
                "set `lock_folder` to a folder this user may write",
            ) from error

    def release(self) -> None:
        """Let go; safe to call twice."""
        self._lock.release()
