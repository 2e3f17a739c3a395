"""A journal of what must not be lost: each event is on the disk before the next begins."""

import io
import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from leukoscope.errors import OutboxError
from leukoscope.system.durable_files import sync_folder

FORMAT = 2
_SUFFIX = ".events"
_MAGIC = b"leukoscope events\n"
_HEAD = struct.Struct(">II")
"""Length and CRC-32 of what follows."""
_PARTS = struct.Struct(">?I")
"""Whether the event begins a stream, and how long its JSON is."""
_RAW_DEFLATE = -15
_BYTES = "bytes"
"""The only key of an object that stands for bytes: how many of them."""


@dataclass(frozen=True, slots=True)
class InterruptedSample:
    """A journal whose writer ended before its work did."""

    path: Path
    header: Mapping[str, Any]
    """What the journal was begun with."""
    events: tuple[Mapping[str, Any], ...]
    """Every event that reached the disk whole, oldest first."""
    sound_bytes: int
    """Where the last whole event ends; what is behind it was being written when the power went."""


class EventJournal:
    """The events of one piece of work, so that it can go on after a power cut.

    An event is a JSON object that may hold bytes. The objects are deflated in one stream, so that what every event says
    again costs next to nothing; the bytes stand behind each as they are. An event that was cut, or that a dying card
    filled with anything else, ends the journal and not the program. It is appended to and never rewritten, which is how
    a memory card lives longest.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        """Use `begin` or `go_on`."""
        self.path = path
        self._file = file
        self._stream: Any = None
        """Of the events so far; None where the next one begins a new one (`zlib` gives its type no name)."""

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
        journal._write(_MAGIC)
        journal.append({"format": FORMAT} | dict(header))
        sync_folder(folder)
        return journal

    @classmethod
    def go_on(cls, interrupted: InterruptedSample) -> Self:
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
            event: JSON-ready, but for bytes.
            durable: on the disk when this returns; False leaves it to the next durable one, for events that are
                many and not missed.

        Raises:
            OutboxError: it cannot be written.
        """
        try:
            self._write(self._packed(event))
            if durable:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _packed(self, event: Mapping[str, Any]) -> bytes:
        apart: list[bytes] = []

        def set_apart(value: bytes) -> dict[str, int]:
            apart.append(value)
            return {_BYTES: len(value)}

        text = json.dumps(event, separators=(",", ":"), allow_nan=False, default=set_apart).encode()
        begins = self._stream is None
        if begins:
            self._stream = zlib.compressobj(level=9, wbits=_RAW_DEFLATE)
        words: bytes = self._stream.compress(text) + self._stream.flush(zlib.Z_SYNC_FLUSH)
        content = _PARTS.pack(begins, len(words)) + words + b"".join(apart)
        return _HEAD.pack(len(content), zlib.crc32(content)) + content

    def _write(self, content: bytes) -> None:
        whole_before = self._file.seek(0, os.SEEK_END)
        try:
            # An unbuffered file may take less than all of it.
            while content:
                content = content[self._file.write(content) :]
        except OSError:
            # Half an event would hide every later one, and those must not lean on one that is not there.
            self._stream = None
            self._file.truncate(whole_before)
            raise

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


def find_interrupted(folder: Path) -> tuple[InterruptedSample, ...]:
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
            content = path.read_bytes()
            events = list(_events(content))
            if not events and (content.startswith(_MAGIC) or not content.strip(b"\0") or _MAGIC.startswith(content)):
                remove(path)
            elif not events or events[0][0].get("format") != FORMAT:
                set_aside(path, "unknown")
            else:
                header, *rest = (event for event, _ in events)
                found.append(InterruptedSample(path, header, tuple(rest), events[-1][1]))
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
        sync_folder(path.parent)
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
        sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error


def _events(content: bytes) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Each whole event and where it ends, up to the first that is not."""
    end, stream = len(_MAGIC) if content.startswith(_MAGIC) else len(content), None
    while len(head := content[end : end + _HEAD.size]) == _HEAD.size:
        length, check = _HEAD.unpack(head)
        begin, end = end + _HEAD.size, end + _HEAD.size + length
        part = content[begin:end]
        # Nothing has a checksum too, and it is zero like whatever a card never wrote.
        if not part or len(part) < length or zlib.crc32(part) != check:
            return
        begins, words = _PARTS.unpack_from(part)
        if begins:
            stream = zlib.decompressobj(_RAW_DEFLATE)
        if stream is None:
            return
        apart = _PARTS.size + words
        yield _with_bytes(stream.decompress(part[_PARTS.size : apart]), part[apart:]), end


def _with_bytes(text: bytes, apart: bytes) -> Mapping[str, Any]:
    """The object of a JSON text whose bytes stand apart."""
    left = io.BytesIO(apart)

    def put_back(value: dict[str, Any]) -> Any:
        return left.read(value[_BYTES]) if value.keys() == {_BYTES} else value

    event: Mapping[str, Any] = json.loads(text, object_hook=put_back)
    return event


def _unwritable(path: Path, error: OSError) -> OutboxError:
    return OutboxError(f"what is counted cannot be kept in {path} ({error.strerror})", "make room, and check its owner")
