"""A storage folder has one instrument at a time: two would go on with each other's samples."""

import importlib
import os
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
    descriptor = -1
    try:
        lock.take()
        descriptor = _locked(folder)
    except LockHeld as held:
        lock.release()
        raise OutboxError(
            f"{folder} is in use by {held.holder}",
            "stop that one first, or give this bench a storage.folder of its own",
        ) from held
    except OSError as error:
        lock.release()
        raise OutboxError(
            f"results cannot be kept in {folder} ({error.strerror})", "check storage.folder and its owner"
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)
        lock.release()


def _locked(folder: Path) -> int:
    """Lock the folder itself, too; returns the descriptor that holds the lock.

    A person may take the lock file for a leftover and delete it; the samples lie in the folder.
    """
    fcntl = importlib.import_module("fcntl")  # Unix only, as is the device
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise LockHeld(folder, f"another process ({LOCK} was deleted while it runs)") from None
    except OSError:
        # A network file system may lock files and no folders.
        return descriptor
    return descriptor
