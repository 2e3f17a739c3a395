"""The one way to write files that a power cut must not damage, and to lock one against other processes."""

import importlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self


def write_whole(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Replace a file in one step: its name stands for the old content or the new one, never for a part of either.

    The content is on the disk when this returns. The folder must be there: one that is gone may be a disk that was
    unplugged.

    Args:
        path: the file.
        content: all of it.
        mode: permission bits; None for those of any new file.

    Raises:
        OSError: it cannot be written; the old file stands and nothing else is left behind.
    """
    unfinished = unfinished_name(path)
    try:
        write_synced(unfinished, content)
        if mode is not None:
            unfinished.chmod(mode)
        unfinished.replace(path)
    except BaseException:
        _unlink(unfinished)
        raise
    sync_folder(path.parent)


def write_synced(path: Path, content: bytes) -> None:
    """Write a file through to the disk, in place; its name is only durable after `sync_folder`.

    Raises:
        OSError: it cannot be written; part of it may be there.
    """
    with path.open("wb") as file:
        file.write(content)
        sync_file(file)


def put_in_place(unfinished: Path, path: Path) -> None:
    """Give a complete file its final name, on the disk when this returns; it replaces what had that name.

    Raises:
        OSError: the disk fails; the unfinished file may still be there.
    """
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)


def append_line(path: Path, line: bytes) -> int:
    """Append a line, on the disk when this returns; makes the file when missing, not its folder.

    Half a line that a power cut or a full disk left behind is ended first, so that it does not spoil this one.

    Args:
        path: the file.
        line: without its line feed.

    Returns:
        The file's size in bytes.

    Raises:
        OSError: it cannot be written; half of the line may be there.
    """
    new = not path.exists()
    with path.open("a+b") as file:
        file.write(line + b"\n" if _ends_with_line_feed(file) else b"\n" + line + b"\n")
        sync_file(file)
        size = file.tell()
    if new:
        sync_folder(path.parent)
    return size


def sync_file(file: IO[bytes]) -> None:
    """Write an open file through to the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Write a folder's names through to the disk: a new, renamed or removed file is durable only after this."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def unfinished_name(path: Path) -> Path:
    """Where a file is written before it gets its name: hidden, in the same folder."""
    return path.with_name(f".{path.name}.unfinished")


class LockHeld(BlockingIOError):
    """Another process holds a lock."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path} is locked by {holder}")
        self.path = path
        self.holder = holder
        """Who holds it, such as "process 812 (leukoscope)"."""


class FileLock:
    """A lock between processes that the kernel drops when its holder ends, however it ends.

    The file holds the holder's name while the lock is held, and stays afterwards: two processes that lock a file which
    was deleted in between would both succeed.
    """

    def __init__(self, path: Path, *, wait: bool = False) -> None:
        """Prepare a lock; `with`, or `take`, takes it.

        Args:
            path: the file to lock; its folder must be there.
            wait: wait for the holder instead of raising LockHeld.
        """
        self.path = path
        self._wait = wait
        self._file: IO[bytes] | None = None

    def take(self) -> None:
        """Hold the lock until `release`.

        Raises:
            LockHeld: another process, or another `FileLock` of this one, holds it.
            OSError: the file cannot be opened or written.
        """
        fcntl = importlib.import_module("fcntl")  # Unix only, as is the device
        file = self.path.open("a+b")
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX if self._wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LockHeld(self.path, _name_in(file)) from None
            file.truncate(0)
            file.write(f"process {os.getpid()} ({Path(sys.argv[0]).name})\n".encode(errors="replace"))
            file.flush()
        except BaseException:
            file.close()
            raise
        self._file = file

    def release(self) -> None:
        """Let go; safe to call twice."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def holder(self) -> str | None:
        """The process that holds the lock now; None where none does. Needs only the right to read the file."""
        fcntl = importlib.import_module("fcntl")
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _name_in(file)
        return None

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _name_in(file: IO[bytes]) -> str:
    file.seek(0)
    name = file.read(200).decode(errors="replace").strip()
    # A lock file of an earlier version holds the bare number.
    return f"process {name}" if name.isdigit() else name or "an unknown process"


def _ends_with_line_feed(file: IO[bytes]) -> bool:
    """Whether a file that is open for appending is empty or ends with a whole line."""
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # The folder is gone or read-only; the error that led here says so.
        return
