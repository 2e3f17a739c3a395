"""Delivery into a folder: each report becomes a file."""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Literal

from leukoscope.delivery.sink import SinkStatus
from leukoscope.errors import InvalidMessage, LeukoscopeError, OutboxError
from leukoscope.messages.identity import Identity
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.entry import Counts
from leukoscope.outbox.report_files import ReportFiles
from leukoscope.outbox.store import Outbox
from leukoscope.schema import FrozenModel
from leukoscope.system.clock import Clock

_BATCH = 50


class FolderSettings(FrozenModel):
    """Reports become files in a folder, for a site without a broker."""

    takes_commands: ClassVar[bool] = False
    driver: Literal["folder"] = "folder"
    folder: Path
    """Where the files go; made when missing."""

    def open(
        self, outbox: Outbox, identity: Identity, *, now: Clock, rng: Random, commands: CommandInbox | None = None
    ) -> "FolderSink":
        """The sink; `identity`, `rng` and `commands` are for other sinks."""
        return FolderSink(outbox, ReportFiles(self.folder), now=now)


class FolderSink:
    """Writes what is in the outbox as files, in the thread that wakes it: a report is one small file."""

    def __init__(self, outbox: Outbox, files: ReportFiles, *, now: Clock) -> None:
        self._outbox = outbox
        self._files = files
        self._now = now
        self._error: str | None = None
        self._counts = Counts(pending=0, sent=0, refused=0)

    @property
    def state(self) -> SinkStatus:
        """Connected as long as the last file could be written."""
        return SinkStatus(
            destination=f"files in {self._files.folder}",
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
            self._error = f"reports cannot be written to {self._files.folder}: {error.strerror or error}"
        try:
            self._counts = self._outbox.counts()
        except OutboxError as error:
            self._error = str(error)

    def _empty(self) -> None:
        while entries := self._outbox.pending(_BATCH):
            for entry in entries:
                try:
                    self._files.write(entry.key, entry.payload)
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
