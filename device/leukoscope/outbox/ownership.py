"""A storage folder has one instrument at a time: two would go on with each other's samples."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leukoscope.errors import OutboxError
from leukoscope.system.durable_files import FileLock, LockHeld

LOCK = ".running"
"""The file in the storage folder that names the process that runs the instrument."""


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Run an instrument on a storage folder, the only one for as long.

    Raises:
        OutboxError: another process runs one on it, which is named; or the folder cannot be written.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.take()
    except LockHeld as held:
        raise OutboxError(
            f"{folder} is in use by {held.holder}",
            "stop that one first, or give this bench a storage.folder of its own",
        ) from held
    except OSError as error:
        raise OutboxError(
            f"results cannot be kept in {folder} ({error.strerror})", "check storage.folder and its owner"
        ) from error
    try:
        yield
    finally:
        lock.release()
