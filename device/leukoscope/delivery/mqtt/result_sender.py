"""Results of commands on their way to the broker: a few at a time, and again where one went unanswered."""

import logging
from collections import deque
from collections.abc import Iterable

from leukoscope.delivery.mqtt.device_connection import DeviceConnection
from leukoscope.delivery.mqtt.in_flight import InFlight
from leukoscope.errors import InvalidMessage
from leukoscope.outbox.command_inbox import Reply

_log = logging.getLogger(__name__)


class ResultSender:
    """Keeps each result in memory until the broker has answered it; used by the publisher's thread."""

    def __init__(self, in_flight: InFlight, window: int) -> None:
        """Nothing to send yet; at most `window` publications are in flight at a time."""
        self._in_flight = in_flight
        self._window = window
        self._due: deque[Reply] = deque()
        self._unanswered: dict[int, Reply] = {}

    def add(self, replies: Iterable[Reply]) -> None:
        """These are to be sent."""
        self._due.extend(replies)

    def send_due(self, link: DeviceConnection, topics: tuple[str, ...]) -> None:
        """Send what may go now, under these topics and where its sender wants it.

        Raises:
            BrokerError: the connection has ended; nothing is lost by it.
        """
        self._unanswered = {mid: reply for mid, reply in self._unanswered.items() if mid in self._in_flight}
        window = min(self._window, link.receive_maximum)
        while self._due and len(self._in_flight) < window:
            reply = self._due[0]
            for topic in filter(None, (*topics, reply.reply_to)):
                try:
                    mid = link.publish(topic, reply.payload, retain=False, correlation=reply.correlation)
                except InvalidMessage as error:
                    _log.warning("a result cannot go to %r, where its sender wants it: %s", topic, error)
                    continue
                self._in_flight.add(mid, f"a result under {topic}")
                self._unanswered[mid] = reply
            self._due.popleft()

    def connection_ended(self) -> None:
        """What was in flight goes out first on the next connection."""
        lost = {id(reply): reply for mid, reply in self._unanswered.items() if mid in self._in_flight}
        self._due.extendleft(reversed(lost.values()))
        self._unanswered.clear()
