"""Reports over MQTT: sent until the broker acknowledges them, and only then marked sent."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random
from typing import Any

from leukoscope.delivery.mqtt.backoff import Backoff
from leukoscope.delivery.mqtt.birth_and_will import BirthAndWill
from leukoscope.delivery.mqtt.broker_nodes import BrokerNodes
from leukoscope.delivery.mqtt.delivery_state import DeliveryState
from leukoscope.delivery.mqtt.device_connection import DeviceConnection
from leukoscope.delivery.mqtt.in_flight import InFlight
from leukoscope.delivery.mqtt.publisher_settings import PublisherSettings
from leukoscope.delivery.mqtt.result_sender import ResultSender
from leukoscope.delivery.mqtt.running_lock import running_lock
from leukoscope.delivery.mqtt.sender import Sender
from leukoscope.delivery.mqtt.stability import Stability
from leukoscope.delivery.sink import SinkStatus
from leukoscope.errors import BrokerError, LeukoscopeError, OutboxError
from leukoscope.messages.identity import Identity
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.store import Outbox
from leukoscope.system.clock import Clock
from leukoscope.system.host import clock_synchronised

_TURN_S = 0.1
_LOOK_S = 1.0
"""Seconds between two looks at the outbox when no thread woke this one: another process may have asked to retry."""
_GOODBYE_S = 2.0
_CALM = 2.0
"""In longest waits: a connection that lived so long is a good one."""

_log = logging.getLogger(__name__)


class Publisher:
    """Empties an outbox into a broker from a thread of its own.

    Every connection is a new one with a new session number; what was in flight when it ended is
    sent again, so a reader may see a report twice and keeps one per (id, version).
    """

    def __init__(
        self,
        outbox: Outbox,
        settings: PublisherSettings,
        identity: Identity,
        *,
        now: Clock,
        rng: Random,
        commands: CommandInbox | None = None,
        clock_quality: Callable[[], bool | None] = clock_synchronised,
    ) -> None:
        """A publisher that is not yet started.

        Args:
            outbox: what is sent.
            settings: where to.
            identity: whose it is.
            now: the time.
            rng: spreads the attempts of many devices.
            commands: takes in what is commanded; None: the device takes no commands.
            clock_quality: whether the time can be trusted; None where the operating system cannot tell.
        """
        self._outbox = outbox
        self._commands = commands
        self._settings = settings
        self._identity = identity
        scheme = "mqtts" if settings.tls else "mqtt"
        where = f"{scheme}://{settings.host}:{settings.address_port}/{self._topic('report')}"
        self._delivery_state = DeliveryState(where)
        self._backoff = Backoff(settings.first_retry_s, settings.longest_retry_s, rng)
        self._nodes = BrokerNodes(settings, rng)
        self._rng = rng
        self._running_lock = running_lock(outbox.path)
        self._in_flight = InFlight(settings.ack_timeout_s)
        # Two devices that throw each other out live as long as the other waits: longer than that is calm.
        self._stability = Stability(self._backoff, self._delivery_state, calm_s=_CALM * settings.longest_retry_s)
        self._sender = Sender(
            outbox, settings, identity, self._in_flight, self._backoff, self._delivery_state, self._stability, now=now
        )
        self._birth_and_will = BirthAndWill(
            outbox, settings, identity, self._in_flight, self._stability, now=now, clock_quality=clock_quality
        )
        self._results = ResultSender(self._in_flight, settings.in_flight)
        self._retained = True
        self._look_at = 0.0
        self._count_at = 0.0
        self._due_at = time.monotonic()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> SinkStatus:
        """How things stood a moment ago; never waits for the network or the disk."""
        return self._delivery_state.state

    @property
    def late_s(self) -> float:
        """Seconds since the thread should have begun its next turn; a broker that is away does not make it late."""
        return 0.0 if self._thread is None else max(0.0, time.monotonic() - self._due_at)

    def start(self) -> None:
        """Begin to connect and to send; a publisher that was stopped stays so."""
        if self._thread is None and not self._stopping.is_set():
            with suppress(OSError):
                # Held or not, it only tells the doctor that the device is running.
                self._running_lock.take()
            self._thread = threading.Thread(target=self._run, name="reporting-mqtt", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Look at the outbox at the next turn."""
        self._look_at = 0.0

    def post_health(self, message: Mapping[str, Any]) -> None:
        """Publish the device's health, retained, when next connected; only the latest is kept.

        Raises:
            InvalidMessage: it is not a leukoscope/health/1 message.
        """
        self._birth_and_will.post_health(message)

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing is pending, nor to be sent once more; False when the time ran out first."""
        until = time.monotonic() + timeout_s
        self.wake()
        try:
            while self._outbox.counts().pending or self._sender.doubts:
                if time.monotonic() > until:
                    return False
                time.sleep(_TURN_S / 2)
        except OutboxError:
            # The thread meets the same error and puts it into the state.
            return False
        return True

    def stop(self, timeout_s: float = 5.0) -> None:
        """Publish the offline status, if the broker is there, and end the thread; the outbox keeps what is pending."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout_s)
        self._running_lock.release()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._use_one_connection()
                continue
            except LeukoscopeError as error:
                reason = str(error)
            except Exception as error:
                # A thread that dies of an unexpected error would leave every later report unsent, unseen.
                _log.exception("the MQTT publisher met an unforeseen error and goes on")
                reason = f"unexpected {type(error).__name__}: {error}"
            # A thousand devices that lose their node at once must not all come to the next in the same second.
            spread_s = self._settings.reconnect_spread_s if self._delivery_state.state.connected else 0.0
            self._stability.record(reason)
            self._nodes.try_next()
            pause_s = self._backoff.next_s() + self._rng.uniform(0.0, spread_s)
            self._due_at = time.monotonic() + pause_s
            self._stopping.wait(pause_s)
            self._due_at = time.monotonic()

    def _use_one_connection(self) -> None:
        self._sender.look_back()
        self._count()
        will = (self._topic("status"), self._birth_and_will.will())
        link = DeviceConnection(
            self._nodes.current, self._settings.client_id_of(self._identity), will, retained=self._retained
        )
        try:
            try:
                link.connect(give_up=self._stopping.is_set)
            finally:
                if link.accepted:
                    self._birth_and_will.accepted()
            try:
                self._serve(link)
            except BrokerError as error:
                raise self._stability.ended(error, by_broker=link.ended_by_broker) from error
        except BrokerError as error:
            if link.refused_retained:
                self._retained = False
            self._sender.connection_lost(link, str(error))
            if not self._stopping.is_set():
                raise
        finally:
            self._results.connection_ended()
            self._in_flight.clear()
            link.close()

    def _serve(self, link: DeviceConnection) -> None:
        # First listen, then speak: the status stored at the broker is then heard before it is replaced.
        link.listen(self._topic("status"), *([] if self._commands is None else [self._topic("command")]))
        self._birth_and_will.publish_birth(link)
        self._stability.connected()
        self.wake()
        while not self._stopping.is_set():
            self._due_at = time.monotonic()
            if time.monotonic() >= self._look_at:
                self._look_at = time.monotonic() + _LOOK_S
                self._sender.send_due(link)
                # With a long backlog counting takes as long as sending.
                if not self._in_flight or time.monotonic() >= self._count_at:
                    self._count()
            self._birth_and_will.publish_health(link)
            link.poll(_TURN_S)
            if self._sender.take_answers(link):
                self.wake()
            self._stability.poll()
            self._listen(link)
            self._send_results(link)
            self._in_flight.give_up_on_overdue()
        self._publish_offline(link)

    def _listen(self, link: DeviceConnection) -> None:
        for command in link.received():
            if command.topic == self._topic("status"):
                self._birth_and_will.weigh(link, command)
            elif self._commands is not None:
                self._commands.receive(
                    command.payload, stored=command.stored, reply_to=command.reply_to, correlation=command.correlation
                )

    def _send_results(self, link: DeviceConnection) -> None:
        if self._commands is not None:
            self._results.add(self._commands.replies())
            self._results.send_due(link, (self._topic("result"),))

    def _publish_offline(self, link: DeviceConnection) -> None:
        self._send_results(link)
        self._birth_and_will.publish_offline(link)
        until = time.monotonic() + _GOODBYE_S
        while self._in_flight and time.monotonic() < until:
            link.poll(_TURN_S)
            self._sender.take_answers(link)
        self._count()
        self._delivery_state.update(connected=False)
        link.leave()

    def _topic(self, name: str) -> str:
        return self._settings.topic_of(self._identity, name)

    def _count(self) -> None:
        self._count_at = time.monotonic() + _LOOK_S
        counts = self._outbox.counts()
        self._delivery_state.update(pending=counts.pending, sent=counts.sent, refused=counts.refused)
