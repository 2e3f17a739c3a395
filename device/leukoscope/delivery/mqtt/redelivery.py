"""What a broker acknowledged shortly before it was lost: if it crashed, it may have forgotten it."""

import time
from collections import deque
from datetime import datetime, timedelta

from leukoscope.delivery.mqtt.backoff import Backoff
from leukoscope.outbox.entry import Key
from leukoscope.outbox.store import Outbox


class Redelivery:
    """Has the last acknowledged messages sent once more when a connection was lost, after all that is new.

    Brokers acknowledge a message before it is on their disk: mosquitto saves every so many seconds,
    and forgets what came since when it is killed. A reader keeps one per (id, version), so sending
    twice costs nothing but traffic. On a line that is lost every few seconds, a message waits longer
    before each further time.
    """

    def __init__(self, outbox: Outbox, window_s: float, backoff: Backoff) -> None:
        """Doubt what was acknowledged up to `window_s` before a loss; 0 doubts nothing."""
        self._outbox = outbox
        self._window_s = window_s
        self._backoff = backoff
        self._recent: deque[tuple[float, Key]] = deque()
        self._due_at: dict[Key, float] = {}
        self._times: dict[Key, int] = {}
        self._looked_back = window_s == 0

    def __len__(self) -> int:
        """Messages that are to be sent once more."""
        return len(self._due_at)

    def look_back(self, now: datetime) -> None:
        """At the first connection: what was acknowledged just before the device went off, as the broker may have, too.

        Raises:
            OutboxError: the outbox cannot be written.
        """
        if not self._looked_back:
            self._outbox.redeliver_since(now - timedelta(seconds=self._window_s))
            self._due_at = dict.fromkeys(self._outbox.awaiting_redelivery(), 0.0)
            self._looked_back = True

    def acknowledged(self, key: Key) -> None:
        """The broker has said yes to this one now."""
        now = time.monotonic()
        self._recent.append((now, key))
        while self._recent and self._recent[0][0] <= now - self._window_s:
            self._times.pop(self._recent.popleft()[1], None)

    def connection_lost(self) -> None:
        """The connection ended without a goodbye.

        Raises:
            OutboxError: the outbox cannot be written.
        """
        now = time.monotonic()
        keys = [key for at, key in self._recent if at > now - self._window_s]
        if keys:
            self._outbox.redeliver(keys)
        self._recent.clear()
        for key in keys:
            times = self._times[key] = self._times.get(key, 0) + 1
            self._due_at[key] = now + self._backoff.after(times - 1) if times > 1 else now

    def due(self, but: set[Key]) -> Key | None:
        """One that is to be sent once more now and is not in `but`; None where there is none."""
        now = time.monotonic()
        return next((key for key, at in self._due_at.items() if at <= now and key not in but), None)

    def put_off(self, key: Key) -> None:
        """The broker did not take it this time."""
        times = self._times[key] = self._times.get(key, 0) + 1
        self._due_at[key] = time.monotonic() + self._backoff.after(times - 1)

    def settled(self, keys: list[Key]) -> None:
        """These need not be sent once more.

        Raises:
            OutboxError: the outbox cannot be written.
        """
        self._outbox.trust(keys)
        for key in keys:
            self._due_at.pop(key, None)
