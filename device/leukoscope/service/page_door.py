"""The door between a running bench and the page in the browser: what is live goes out, what is asked comes in."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from leukoscope.displays.state import Screen
from leukoscope.instrument import Look, Waiting
from leukoscope.messages.live_state import Doing, UnderWay
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.service.live_view import BenchFacts, LiveView
from leukoscope.service.local_commands import ALLOWED, LocalCommands
from leukoscope.specimen.frame import Frame

_log = logging.getLogger("leukoscope")


class PageDoor:
    """Of one bench; without a page in the settings nothing goes through it."""

    def __init__(self, inbox: CommandInbox, view: LiveView | None = None, local: LocalCommands | None = None) -> None:
        """`view` and `local` are None where there is no page."""
        self.inbox = inbox
        """Where what a technician asks at the page waits to be done."""
        self._view, self._local = view, local

    @classmethod
    def open(
        cls, folder: Path | None, facts: BenchFacts, inbox: CommandInbox, now: Callable[[], datetime]
    ) -> "PageDoor":
        """Open it in a folder, None where there is no page; a door that does not open stops no count.

        Args:
            folder: as `page_folder` says.
            facts: of the bench.
            inbox: for what is asked at the page.
            now: the time of day.
        """
        if folder is None:
            return cls(inbox)
        try:
            view = LiveView(folder, facts, now)
            return cls(inbox, view, LocalCommands(folder, inbox, view.watch, now))
        except OSError as error:
            _log.warning("the page in the browser cannot watch and start samples: %s", error)
            return cls(inbox)

    @property
    def watched(self) -> bool:
        """Whether a browser looks at the bench."""
        return self._view is not None and self._view.watched

    def shown(self, screen: Screen) -> None:
        """A screen came to the displays."""
        if self._view is not None:
            self._view.shown(screen)

    def live(self, frame: Frame) -> None:
        """A frame that is not examined."""
        if self._view is not None:
            self._view.picture(frame)

    def examined(self, frame: Frame, outcome: Look | Waiting) -> None:
        """A frame was shown to a sample; a place that was counted keeps its picture with the outlines."""
        if self._view is None:
            return
        if isinstance(outcome, Look):
            field = outcome.field
            self._view.picture(field.micrograph.frame, field.cells, field.quality.sharpness)
        elif outcome is not Waiting.SEEN_BEFORE:
            self._view.picture(frame)

    def turn(self, doing: Doing, sample: UnderWay | None, alarms: Sequence[str]) -> None:
        """Take in what was asked, and say what the bench does; as in `LiveView.turn`.

        Raises:
            OutboxError: what was asked cannot be remembered.
        """
        if self._view is not None and self._local is not None:
            self._view.turn(doing, sample, alarms)
            self._local.receive()

    def code(self) -> str:
        """As in `LocalCommands`."""
        return "" if self._local is None else self._local.code()

    def answer(self) -> None:
        """Send what became of what was asked."""
        if self._local is not None:
            self._local.answer()

    def close(self) -> None:
        """The bench leaves."""
        if self._view is not None and self._local is not None:
            self._local.close()
            self._view.close()


__all__ = ["ALLOWED", "BenchFacts", "PageDoor"]
