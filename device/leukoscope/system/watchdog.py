"""Pings systemd's watchdog only as long as the instrument makes progress.

There is no thread that pings. The main loop does, after each turn that ended: with a frame, or idle and ready for the
next press. Whatever blocks it (a camera, a disk, a lock held elsewhere) ends the pings, and systemd ends the program.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from leukoscope.system.sd_notify import Notify, process_environment

_log = logging.getLogger("leukoscope")


@dataclass(frozen=True, slots=True)
class Progressing:
    """A thread beside the main loop that must not stand still."""

    name: str
    """The part it serves, as on the fault screen."""
    late_s: Callable[[], float]
    """Seconds since it should have been heard of; 0 when all is well."""
    limit_s: float
    """Late by more than this it is taken for stuck."""


class Watchdog:
    """What the main loop tells the supervisor."""

    def __init__(
        self, notify: Notify, watchdog_s: float | None, clock_s: Callable[[], float] = time.monotonic, status: str = ""
    ) -> None:
        """`watchdog_s` is the silence after which the supervisor acts, None where it does not."""
        self._notify = notify
        self._every_s = inf if watchdog_s is None else watchdog_s / 2
        self._clock_s = clock_s
        # A new part of the same program must not wait with its first ping: it cannot know when the last one was.
        self._pinged_at_s = -inf
        self._status = status
        self._watched: list[Progressing] = []
        self._stuck: set[str] = set()

    @classmethod
    def of_this_process(cls) -> "Watchdog":
        """To the supervisor this process was started by, if there is one."""
        return cls(*process_environment())

    def watch(self, thread: Progressing) -> None:
        """From now on a stuck thread ends the pings too."""
        self._watched.append(thread)

    def starting(self, step: str) -> None:
        """A step of the start was begun; the supervisor's time limit for starting runs on."""
        self._send_status(step)

    def ready(self) -> None:
        """Every part answers and the networks decide as they must."""
        self._notify("READY=1")
        # Where the program has begun anew in the same process, the watchdog is running already.
        self._notify("WATCHDOG=1")
        self._pinged_at_s = self._clock_s()

    def turn(self, status: str, *, busy: bool = False) -> None:
        """The main loop got on.

        Args:
            status: what the instrument does, in a few words and without a name of a specimen.
            busy: a sample is under way; a stuck thread is then tolerated, for a restart would cost the count.
        """
        self._send_status(status)
        now_s = self._clock_s()
        if now_s - self._pinged_at_s < self._every_s or (self._any_stuck() and not busy):
            return
        if self._notify("WATCHDOG=1"):
            self._pinged_at_s = now_s

    def becoming(self, status: str) -> None:
        """The same process goes on as something else; systemd would end what says that it stops."""
        self._send_status(status)
        self._notify("WATCHDOG=1")

    def leaving(self) -> None:
        """The program ends on purpose."""
        self._notify("STOPPING=1\nSTATUS=Leaving")

    def _send_status(self, status: str) -> None:
        if status != self._status:
            self._status = status
            self._notify(f"STATUS={status}")

    def _any_stuck(self) -> bool:
        stuck = {one.name for one in self._watched if one.late_s() > one.limit_s}
        for name in sorted(stuck - self._stuck):
            _log.error("%s: its thread stands still; the program waits to be restarted", name)
        self._stuck = stuck
        return bool(stuck)
