"""What a broker acknowledged shortly before it was lost: if it crashed, it may have forgotten it."""

import time
from collections import deque
from datetime import datetime, timedelta

from leukoscope.outbox.store import Key, Outbox


class Redelivery:
    """Puts the last acknowledged messages back among the pending when a connection was lost.

    Brokers acknowledge a message before it is on their disk: mosquitto saves every so many seconds,
    and forgets what came since when it is killed. Whoever reads keeps one per (id, version), so
    that sending twice costs nothing.
    """

    def __init__(self, outbox: Outbox, window_s: float) -> None:
        """Doubt what was acknowledged up to `window_s` before a loss; 0 doubts nothing."""
        self._outbox = outbox
        self._window_s = window_s
        self._recent: deque[tuple[float, Key]] = deque()
        self._looked_back = window_s == 0

    def look_back(self, now: datetime) -> None:
        """At the first connection: what was acknowledged just before the device went off, as the broker may have, too.

        Raises:
            OutboxError: the outbox cannot be written.
        """
        if not self._looked_back:
            self._outbox.mark_unsent_since(now - timedelta(seconds=self._window_s))
            self._looked_back = True

    def acknowledged(self, key: Key) -> None:
        """The broker has said yes to this one now."""
        now = time.monotonic()
        self._recent.append((now, key))
        while self._recent and self._recent[0][0] <= now - self._window_s:
            self._recent.popleft()

    def connection_lost(self) -> None:
        """Nobody said goodbye.

        Raises:
            OutboxError: the outbox cannot be written.
        """
        since = time.monotonic() - self._window_s
        self._outbox.mark_unsent([key for at, key in self._recent if at > since])
        self._recent.clear()
