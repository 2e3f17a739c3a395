"""The outbox's messages on their way to the broker: which goes next, and what becomes of each."""

import time
from collections.abc import Mapping

from leukoscope.delivery.mqtt.backoff import Backoff
from leukoscope.delivery.mqtt.delivery_state import DeliveryState
from leukoscope.delivery.mqtt.device_connection import Answer, DeviceConnection
from leukoscope.delivery.mqtt.in_flight import InFlight, InFlightMessage
from leukoscope.delivery.mqtt.publisher_settings import PublisherSettings
from leukoscope.delivery.mqtt.redelivery import Redelivery
from leukoscope.delivery.mqtt.stability import Stability
from leukoscope.errors import InvalidMessage
from leukoscope.messages.historical import as_sent
from leukoscope.messages.identity import Identity
from leukoscope.outbox.entry import CELL, REPORT, Entry, Key
from leukoscope.outbox.store import Outbox
from leukoscope.system.clock import Clock

_SUSPECT_AFTER = 2
"""Unanswered this often, a message is sent alone and after the others, which it may be holding up."""
_AGAIN_IN_FLIGHT = 2
"""Messages sent once more at a time."""
_CELLS_IN_FLIGHT = 2
"""Pictures of cells sent at a time: on a slow line a report must not wait behind many."""


class Sender:
    """Sends what is pending and writes down what the broker says to it; used by the publisher's thread.

    Everything here raises OutboxError where the outbox cannot be read or written.
    """

    def __init__(
        self,
        outbox: Outbox,
        settings: PublisherSettings,
        identity: Identity,
        in_flight: InFlight,
        backoff: Backoff,
        delivery_state: DeliveryState,
        stability: Stability,
        *,
        now: Clock,
    ) -> None:
        self._outbox = outbox
        self._settings = settings
        self._identity = identity
        self._in_flight = in_flight
        self._backoff = backoff
        self._delivery_state = delivery_state
        self._stability = stability
        self._now = now
        self._redelivery = Redelivery(outbox, settings.redelivery_window_s, backoff)
        self._not_before: dict[Key, float] = {}
        self._unwritten: dict[Key, int] = {}

    @property
    def doubts(self) -> int:
        """Messages that were acknowledged and are to be sent once more."""
        return len(self._redelivery)

    def look_back(self) -> None:
        """At the first connection: what was acknowledged just before the device went off is sent again."""
        self._redelivery.look_back(self._now())

    def send_due(self, link: DeviceConnection) -> None:
        """Send what may go now.

        Raises:
            BrokerError: the connection has ended.
        """
        window = min(self._settings.in_flight, link.receive_maximum)
        if not self._send_pending(link, window):
            self._send_again(link, window)

    def _send_pending(self, link: DeviceConnection, window: int) -> bool:
        """Send what was never acknowledged; True where more of it could go if the window were larger."""
        flying = self._in_flight.kept
        cells = sum(key.kind == CELL for key in flying)
        most_cells = max(1, min(_CELLS_IN_FLIGHT, window - 1))
        limit = window + len(flying) + len(self._not_before)
        pending = self._outbox.pending(limit, but=CELL if cells >= most_cells else "")
        # A receiver gets the report before its pictures, also where the report waits for a reader.
        reports_wait = any(entry.key.kind != CELL for entry in pending)
        for entry in pending:
            if len(self._in_flight) >= window or self._in_flight.one_is_alone:
                return True
            if entry.key in flying or self._not_before.get(entry.key, 0.0) > time.monotonic():
                continue
            attempts = entry.attempts + self._unwritten.get(entry.key, 0)
            suspect = attempts >= _SUSPECT_AFTER
            if suspect and self._in_flight:
                return True
            if entry.key.kind == CELL:
                if reports_wait:
                    break
                cells += 1
                if cells > most_cells:
                    break
            self._send(link, entry, attempts=attempts, alone=suspect)
        return False

    def _send_again(self, link: DeviceConnection, window: int) -> None:
        """Send what the broker may have forgotten, a few at a time, for none of it is new."""
        flying = set(self._in_flight.kept)
        most = max(1, min(_AGAIN_IN_FLIGHT, window - 1))
        while self._in_flight.again < most and len(self._in_flight) < window and not self._in_flight.one_is_alone:
            key = self._redelivery.due(flying)
            if key is None:
                return
            flying.add(key)
            entry = self._outbox.get(key)
            if entry is None:
                self._redelivery.settled([key])
            else:
                self._send(link, entry, again=True)

    def take_answers(self, link: DeviceConnection) -> bool:
        """Write down what the broker has said; False where it has said nothing."""
        accepted: dict[Key, str] = {}
        once_more: list[Key] = []
        answered = False
        for answer in link.answers():
            message = self._in_flight.pop(answer.mid)
            if message is None:
                continue
            answered = True
            if message.key is None:
                self._answered_about_the_device(message.what, answer)
            elif message.again:
                if answer.refusal is None or answer.for_good:
                    once_more.append(message.key)
                else:
                    self._redelivery.put_off(message.key)
            elif answer.refusal is None:
                accepted[message.key] = "" if answer.received else "acknowledged, but nobody was subscribed to it"
            else:
                self._put_back(message.key, message, answer)
        if accepted:
            self._settle(accepted)
            self._stability.delivered()
        if once_more:
            self._redelivery.settled(once_more)
            for key in once_more:
                self._redelivery.acknowledged(key)
        return answered

    def _answered_about_the_device(self, what: str, answer: Answer) -> None:
        if answer.refusal is None:
            self._delivery_state.settled(what)
        else:
            self._delivery_state.update(last_error=f"the broker refused {what}: {answer.refusal}")

    def connection_lost(self, link: DeviceConnection, why: str) -> None:
        """No goodbye was said: what was in flight is sent again, and so is what the broker may have forgotten."""
        self._write_off(link, why)
        self._redelivery.connection_lost()

    def _send(
        self, link: DeviceConnection, entry: Entry, *, attempts: int = 0, alone: bool = False, again: bool = False
    ) -> None:
        try:
            payload = as_sent(entry.payload, boot_id=self._identity.boot_id, now=self._now())
            needed = self._settings.needs_reader and entry.key.kind == REPORT
            topic = self._settings.topic_of(self._identity, entry.topic)
            mid = link.publish(topic, payload, retain=False, needs_reader=needed)
        except InvalidMessage as error:
            if again:
                self._redelivery.settled([entry.key])
            else:
                self._refuse(entry.key, str(error))
        else:
            self._in_flight.add(mid, str(entry.key), key=entry.key, attempts=attempts, alone=alone, again=again)

    def _settle(self, accepted: Mapping[Key, str]) -> None:
        """The broker has these now; one write to the disk for all of them, or a backlog waits for the card."""
        self._outbox.mark_all_sent(accepted, self._now())
        for key in accepted:
            self._redelivery.acknowledged(key)
            self._forget(key)
            self._delivery_state.settled(str(key))

    def _put_back(self, key: Key, message: InFlightMessage, answer: Answer) -> None:
        if answer.for_good:
            self._refuse(key, f"the broker refused it: {answer.refusal}")
        else:
            note = f"the broker put it off: {answer.refusal}"
            self._outbox.mark_unanswered([key] * (1 + self._unwritten.pop(key, 0)), note)
            self._not_before[key] = time.monotonic() + self._backoff.after(message.attempts)
            self._delivery_state.update(last_error=f"the broker put {key} off: {answer.refusal}")

    def _refuse(self, key: Key, reason: str) -> None:
        self._outbox.mark_refused(key, self._now(), reason)
        self._forget(key)
        self._delivery_state.update(last_error=f"{key}: {reason}")

    def _forget(self, key: Key) -> None:
        self._not_before.pop(key, None)
        self._unwritten.pop(key, None)

    def _write_off(self, link: DeviceConnection, why: str) -> None:
        """Whatever was in flight goes back to pending; what the broker can never take is refused."""
        lost = self._in_flight.kept
        if len(lost) == 1:
            ((key, message),) = lost.items()
            blame = link.blame(alone=message.alone)
            if blame is not None:
                if message.again:
                    self._redelivery.settled([key])
                else:
                    self._refuse(key, blame)
                return
        unanswered: list[Key] = []
        for key, message in lost.items():
            if message.again:
                self._redelivery.put_off(key)
                continue
            attempts = message.attempts + 1
            self._unwritten[key] = self._unwritten.get(key, 0) + 1
            if attempts >= _SUSPECT_AFTER:
                self._not_before[key] = time.monotonic() + self._backoff.after(message.attempts)
                # Written down more and more rarely: a broker that ends each connection must not wear the card out.
                if attempts & (attempts - 1) == 0:
                    unanswered += [key] * self._unwritten.pop(key)
        if unanswered:
            self._outbox.mark_unanswered(unanswered, why)
