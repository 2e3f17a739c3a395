"""A simulated device: an outbox in memory and the same rules for sending as the real one."""

import selectors
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from fleet_simulation.sample import ReportMaker
from leukoscope.messages.identity import TOPIC_ROOT
from leukoscope.system.clock import Clock

_CONNECT_S = 2.0
_LONGEST_WAIT_S = 2.0
_NO_SUBSCRIBER_S = 0.5
"""Pause after a PUBACK that says that no client was subscribed, seconds."""
_MATCHED = 0x00
"""Reason code of a PUBACK, MQTT 5, 3.4.2.1: a client was subscribed."""


@dataclass(slots=True)
class Sending:
    """A report on its way."""

    id: str
    payload: bytes
    published_at: float | None = None
    """Seconds since 1970 when it was first handed to the broker."""
    acknowledged_at: float | None = None


class SimulatedDevice:
    """One MQTT 5 client, a new one for each connection, driven by the caller's selector.

    A report is done when the broker has acknowledged it and a client was subscribed. What was
    acknowledged shortly before a connection was lost is sent again: a broker that crashed may have
    lost it.
    """

    def __init__(
        self,
        name: tuple[str, str],
        addresses: Sequence[tuple[str, int]],
        selector: selectors.BaseSelector,
        *,
        in_flight: int,
        ack_timeout_s: float,
        redelivery_window_s: float,
        protocol: str,
        reconnect_spread_s: float,
        first_address_first: bool,
        rng: Random,
        now: Clock,
    ) -> None:
        self.done: list[Sending] = []
        self.pending: deque[Sending] = deque()
        self.connected_at: list[float] = []
        """Seconds since 1970 of each CONNACK that accepted it."""
        self.again = 0
        """Reports sent again, for whatever reason."""
        self.acknowledged = 0
        """PUBACKs that say that a client was subscribed."""
        self.away_s: list[float] = []
        """Seconds from each lost connection to the next CONNACK that accepted it."""
        self._lost_at: float | None = None
        self._site, self._device = name
        self._topic = "/".join((TOPIC_ROOT, *name, "report"))
        first, rest = (list(addresses[:1]), addresses[1:]) if first_address_first else ([], addresses)
        self._addresses = first + rng.sample(list(rest), len(rest))
        self._protocol = protocol
        self._reconnect_spread_s = reconnect_spread_s
        self._selector = selector
        self._window = in_flight
        self._ack_timeout_s = ack_timeout_s
        self._redelivery_window_s = redelivery_window_s
        self._rng = rng
        self._now = now
        self._maker = ReportMaker(*name)
        self._client: paho.Client | None = None
        self._socket: Any = None
        self._connected = False
        self._in_flight: dict[int, tuple[Sending, float]] = {}
        self._just_acknowledged: deque[tuple[float, Sending]] = deque()
        self._events = 0
        self._failures = 0
        self._next_try = 0.0
        self._no_subscriber_until = 0.0

    @property
    def connected(self) -> bool:
        """The broker has accepted the connection (CONNACK)."""
        return self._connected

    @property
    def idle(self) -> bool:
        """Everything it made is done."""
        return not self.pending and not self._in_flight

    def make_report(self) -> None:
        """Put a new report into the outbox."""
        self.pending.append(Sending(*self._maker.make(self._now())))

    def connect(self) -> None:
        """Try once, if it is time to."""
        if self._client is not None or time.monotonic() < self._next_try:
            return
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            f"leukoscope-{self._site}-{self._device}",
            protocol=MQTTProtocolVersion.MQTTv5 if self._protocol == "5" else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = _CONNECT_S
        client.max_inflight_messages_set(0)
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        try:
            client.connect(*self._addresses[0], keepalive=30)
        except OSError:
            self._wait()
            return
        self._client, self._socket = client, client.socket()
        self._events = selectors.EVENT_READ
        self._selector.register(self._socket, self._events, self)

    def handle(self, events: int) -> None:
        """Read and write what the selector found ready."""
        if self._client is None:
            return
        code = self._client.loop_read() if events & selectors.EVENT_READ else 0
        if not code and events & selectors.EVENT_WRITE:
            code = self._client.loop_write()
        if code:
            self._lose()
        self._ask_to_write()

    def look_after(self) -> None:
        """What is due now and then: a connection, a ping, an answer that never came."""
        if self._client is None:
            self.connect()
        elif self._client.loop_misc() or any(
            time.monotonic() > sent_at + self._ack_timeout_s for _, sent_at in self._in_flight.values()
        ):
            self._lose()

    def send(self) -> None:
        """As many reports as may be in flight."""
        if time.monotonic() < self._no_subscriber_until:
            return
        while self._connected and self.pending and len(self._in_flight) < self._window:
            assert self._client is not None
            sending = self.pending.popleft()
            if sending.published_at is None:
                sending.published_at = time.time()
            else:
                self.again += 1
            info = self._client.publish(self._topic, sending.payload, qos=1)
            self._in_flight[info.mid] = (sending, time.monotonic())
            if info.rc:
                self._lose()
        self._ask_to_write()

    def leave(self) -> None:
        """Say DISCONNECT."""
        if self._client is not None:
            self._client.disconnect()
            self._drop()

    def _lose(self) -> None:
        if self._connected:
            self._lost_at = time.monotonic()
        since = time.monotonic() - self._redelivery_window_s
        to_redeliver = [sending for at, sending in self._just_acknowledged if at >= since]
        self._just_acknowledged.clear()
        kept = {sending.id for sending in to_redeliver}
        self.done = [sending for sending in self.done if sending.id not in kept] if to_redeliver else self.done
        self.pending.extendleft(reversed([*(sending for sending, _ in self._in_flight.values()), *to_redeliver]))
        spread_s = self._reconnect_spread_s if self._connected else 0.0
        self._drop()
        self._wait(spread_s)

    def _drop(self) -> None:
        self._in_flight.clear()
        self._connected = False
        client, self._client = self._client, None
        self._selector.unregister(self._socket)
        self._socket.close()
        self._socket = None
        if client is not None:
            # Without this circle the client goes with the last reference.
            client.on_connect = client.on_publish = None

    def _wait(self, spread_s: float = 0.0) -> None:
        self._failures += 1
        self._addresses.append(self._addresses.pop(0))
        whole_s = min(_LONGEST_WAIT_S, 0.1 * 2.0 ** min(self._failures, 10))
        self._next_try = time.monotonic() + whole_s * self._rng.uniform(0.5, 1.0) + self._rng.uniform(0.0, spread_s)

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._connected = not reason.is_failure
        if self._connected:
            self._failures = 0
            self.connected_at.append(time.time())
            if self._lost_at is not None:
                self.away_s.append(time.monotonic() - self._lost_at)
                self._lost_at = None

    def _on_publish(self, client: Any, data: Any, mid: int, reason: Any, properties: Any) -> None:
        sending, _ = self._in_flight.pop(mid, (None, 0.0))
        if sending is None:
            return
        if reason.value != _MATCHED:
            self.pending.append(sending)
            self._no_subscriber_until = time.monotonic() + _NO_SUBSCRIBER_S
            return
        sending.acknowledged_at = time.time()
        self.acknowledged += 1
        self.done.append(sending)
        now = time.monotonic()
        self._just_acknowledged.append((now, sending))
        while self._just_acknowledged[0][0] < now - self._redelivery_window_s:
            self._just_acknowledged.popleft()

    def _ask_to_write(self) -> None:
        """Listen for room to write while paho holds bytes that the socket did not take."""
        if self._client is None:
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._client.want_write() else 0)
        if wanted != self._events:
            self._events = wanted
            self._selector.modify(self._socket, wanted, self)
