"""Reports as files in a folder: one JSON file each, whole or not there at all."""

import re
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from leukoscope.errors import InvalidMessage, LeukoscopeError, OutboxError
from leukoscope.messages.identity import Identity
from leukoscope.outbox.store import Counts, Key, Outbox
from leukoscope.schema import FrozenModel
from leukoscope.system.durable_files import write_whole

if TYPE_CHECKING:
    # Cut later: the folder sink belongs beside the other sinks, which import this module.
    from leukoscope.delivery.sink import SinkStatus
from leukoscope.system.clock import Clock

_SAFE = re.compile(r"[A-Za-z0-9-]{1,80}")
_BATCH = 50


class ReportFiles:
    """A folder of reports; a file that is there is complete and on the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path_of(self, key: Key) -> Path:
        """`<kind>-<id>-v<version>.json` in the folder.

        Raises:
            InvalidMessage: the key holds what a file name must not, as a slash.
        """
        if not (_SAFE.fullmatch(key.kind) and _SAFE.fullmatch(key.id)):
            raise InvalidMessage(f"expected letters, digits and dashes to name a file, found {key}")
        return self.folder / f"{key.kind}-{key.id}-v{key.version}.json"

    def write(self, key: Key, payload: bytes) -> Path:
        """Write a report, whole and on the disk when this returns; the first one under a key stays.

        Raises:
            InvalidMessage: the key cannot name a file.
            OSError: the folder cannot be written.
        """
        path = self.path_of(key)
        if path.exists():
            return path
        write_whole(path, payload)
        return path


class FolderSettings(FrozenModel):
    """Reports become files in a folder, for a site without a broker."""

    driver: Literal["folder"] = "folder"
    folder: Path
    """Where the files go; made when missing."""

    def open(self, outbox: Outbox, identity: Identity, *, now: "Clock", rng: Random) -> "FolderSink":
        """The sink that writes files; `identity` and `rng` are what other sinks need."""
        return FolderSink(outbox, ReportFiles(self.folder), now=now)


class FolderSink:
    """Empties the outbox into a journal, in the thread that wakes it: a report is one small file."""

    def __init__(self, outbox: Outbox, journal: ReportFiles, *, now: "Clock") -> None:
        self._outbox = outbox
        self._journal = journal
        self._now = now
        self._error: str | None = None
        self._counts = Counts(pending=0, sent=0, refused=0)

    @property
    def state(self) -> "SinkStatus":
        """Connected as long as the last file could be written."""
        from leukoscope.delivery.sink import SinkStatus

        return SinkStatus(
            destination=f"files in {self._journal.folder}",
            connected=self._error is None,
            last_error=self._error,
            pending=self._counts.pending,
            sent=self._counts.sent,
            refused=self._counts.refused,
        )

    @property
    def late_s(self) -> float:
        """Never: there is no thread."""
        return 0.0

    def start(self) -> None:
        """Write what was left from before."""
        self.wake()

    def wake(self) -> None:
        """Write everything that is pending; on a full disk it stays pending until the next time."""
        try:
            self._empty()
            self._error = None
        except LeukoscopeError as error:
            self._error = str(error)
        except OSError as error:
            self._error = f"reports cannot be written to {self._journal.folder}: {error.strerror or error}"
        try:
            self._counts = self._outbox.counts()
        except OutboxError as error:
            self._error = str(error)

    def _empty(self) -> None:
        while entries := self._outbox.pending(_BATCH):
            for entry in entries:
                try:
                    self._journal.write(entry.key, entry.payload)
                except InvalidMessage as error:
                    self._outbox.mark_refused(entry.key, self._now(), str(error))
                else:
                    self._outbox.mark_sent(entry.key, self._now())

    def post_health(self, message: Mapping[str, Any]) -> None:
        """Not written: a file every few seconds would wear the card out."""

    def flush(self, timeout_s: float) -> bool:
        """Write once more; True when nothing is left."""
        self.wake()
        return self._error is None

    def stop(self, timeout_s: float = 5.0) -> None:
        """Nothing runs between calls."""
