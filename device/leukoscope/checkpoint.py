"""A journal of what must not be lost: one line per event, on the disk before the next begins."""

import base64
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from leukoscope.errors import OutboxError

FORMAT = 1
_SUFFIX = ".events"


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A journal whose writer ended before its work did."""

    path: Path
    header: Mapping[str, Any]
    """What the journal was begun with."""
    events: tuple[Mapping[str, Any], ...]
    """Every event that reached the disk whole, oldest first."""
    sound_bytes: int
    """Where the last whole event ends; what is behind it was being written when the power went."""


class Checkpoint:
    """The events of one piece of work, so that it can go on after a power cut.

    Each line is a CRC-32 and a JSON object, compressed and in base 85. A line that was cut, or that a dying card filled
    with anything else, ends the journal and not the program. It is appended to and never rewritten, which is how a
    memory card lives longest.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        """Use `begin` or `go_on`."""
        self.path = path
        self._file = file

    @classmethod
    def begin(cls, folder: Path, name: str, header: Mapping[str, Any]) -> Self:
        """Begin a journal; it is on the disk when this returns.

        Args:
            folder: made when missing.
            name: letters, digits and dashes; one piece of work has one name.
            header: JSON-ready facts without which the events cannot be understood.

        Raises:
            OutboxError: it cannot be written.
        """
        path = folder / f"{name}{_SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = path.open("xb", buffering=0)
        except OSError as error:
            raise _unwritable(path, error) from error
        journal = cls(path, file)
        journal.append({"format": FORMAT} | dict(header))
        _settle(folder)
        return journal

    @classmethod
    def go_on(cls, interrupted: Interrupted) -> Self:
        """Append to a journal that was interrupted, behind its last whole event.

        Raises:
            OutboxError: it cannot be written.
        """
        try:
            file = interrupted.path.open("r+b", buffering=0)
            file.truncate(interrupted.sound_bytes)
            file.seek(0, os.SEEK_END)
        except OSError as error:
            raise _unwritable(interrupted.path, error) from error
        return cls(interrupted.path, file)

    def append(self, event: Mapping[str, Any], *, durable: bool = True) -> None:
        """Write an event.

        Args:
            event: JSON-ready.
            durable: on the disk when this returns; False leaves it to the next durable one, for events that are
                many and not missed.

        Raises:
            OutboxError: it cannot be written.
        """
        try:
            whole_before = self._file.seek(0, os.SEEK_END)
            line = _line(event)
            try:
                # An unbuffered file may take less than all of it.
                while line:
                    line = line[self._file.write(line) :]
            except OSError:
                # Half a line would hide every later one.
                self._file.truncate(whole_before)
                raise
            if durable:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def close(self) -> None:
        """Stop writing and leave the journal for the next start; safe to call twice."""
        self._file.close()

    def remove(self) -> None:
        """The work is done, or given up: nothing is to go on any more.

        Raises:
            OutboxError: it cannot be removed.
        """
        self._file.close()
        remove(self.path)


def find_interrupted(folder: Path) -> tuple[Interrupted, ...]:
    """Every journal in a folder that can be gone on with, oldest first.

    One whose header never reached the disk holds nothing and is removed; one that was made by another version is
    renamed to `.unknown` and left to people.

    Raises:
        OutboxError: the folder cannot be read.
    """
    found = []
    try:
        paths = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime_ns)
        for path in paths:
            events = list(_events(path.read_bytes()))
            if not events:
                remove(path)
            elif events[0][0].get("format") != FORMAT:
                set_aside(path, "unknown")
            else:
                header, *rest = (event for event, _ in events)
                found.append(Interrupted(path, header, tuple(rest), events[-1][1]))
    except OSError as error:
        raise _unwritable(folder, error) from error
    return tuple(found)


def set_aside(path: Path, why: str) -> Path:
    """Rename a journal that cannot be gone on with to `<name>.<why>`; returns that path.

    Raises:
        OutboxError: it cannot be renamed.
    """
    aside = path.with_name(f"{path.name}.{why}")
    try:
        path.replace(aside)
        _settle(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    return aside


def remove(path: Path) -> None:
    """Remove a journal, also from a disk that loses its power now.

    Raises:
        OutboxError: it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
        _settle(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error


def _line(event: Mapping[str, Any]) -> bytes:
    content = base64.b85encode(zlib.compress(json.dumps(event, separators=(",", ":"), allow_nan=False).encode()))
    return b"%08x %s\n" % (zlib.crc32(content), content)


def _events(content: bytes) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Each whole event and where it ends, up to the first that is not."""
    end = 0
    for line in content.splitlines(keepends=True):
        check, _, text = line.rstrip(b"\n").partition(b" ")
        if not line.endswith(b"\n") or check != b"%08x" % zlib.crc32(text):
            return
        end += len(line)
        yield json.loads(zlib.decompress(base64.b85decode(text))), end


def _settle(folder: Path) -> None:
    """A new or a missing name is only on the disk once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(path: Path, error: OSError) -> OutboxError:
    return OutboxError(f"what is counted cannot be kept in {path} ({error.strerror}): make room, and check its owner")
