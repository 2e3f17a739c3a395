"""The lock that a running publisher holds beside the outbox, so that the doctor knows that the device is running."""

from pathlib import Path

from leukoscope.system.durable_files import FileLock


def running_lock(outbox: Path) -> FileLock:
    """The lock of the publisher that empties this outbox; it prevents nothing."""
    return FileLock(outbox.with_name(f"{outbox.name}.sending"))
