"""A device's birth, will, health and offline status at its broker, and the number that each connection goes by."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from leukoscope.delivery.mqtt.device_connection import DeviceConnection, Received
from leukoscope.delivery.mqtt.in_flight import InFlight
from leukoscope.delivery.mqtt.publisher_settings import PublisherSettings
from leukoscope.delivery.mqtt.stability import Stability
from leukoscope.errors import BrokerError, InvalidMessage
from leukoscope.messages import status
from leukoscope.messages.identity import Identity
from leukoscope.messages.json_format import to_bytes, validate
from leukoscope.outbox.store import Outbox
from leukoscope.system.clock import Clock

_MOST_REPLIES = 5
"""How often one connection repeats its birth over an old will; more would be two devices of one name at odds."""
_MOST_KNOWN = 64
"""Own statuses that are known again; a broker remembers one of the last."""


class BirthAndWill:
    """What a device says about itself, retained; used by the publisher's thread, except for `post_health`."""

    def __init__(
        self,
        outbox: Outbox,
        settings: PublisherSettings,
        identity: Identity,
        in_flight: InFlight,
        stability: Stability,
        *,
        now: Clock,
        clock_quality: Callable[[], bool | None],
    ) -> None:
        self._outbox = outbox
        self._settings = settings
        self._identity = identity
        self._in_flight = in_flight
        self._stability = stability
        self._now = now
        self._clock_quality = clock_quality
        self._session = 0
        self._first_session: int | None = None
        self._own: deque[bytes] = deque(maxlen=_MOST_KNOWN)
        self._spare: bytes | None = None
        self._birth_sequence = 0
        self._connections = 0
        self._floor = 0
        self._birth = b""
        self._replies = 0
        self._health: Mapping[str, Any] | None = None

    def will(self) -> bytes:
        """What the next connection leaves with the broker; its number is new, or one that no broker has heard.

        Raises:
            OutboxError: the number cannot be kept.
        """
        if self._spare is None:
            numbers = self._outbox.begin_connection(self._now(), above=self._floor)
            self._session, sequence, self._birth_sequence = numbers
            self._first_session = self._first_session or self._session
            self._spare = to_bytes(status.last_will(self._identity, session=self._session, sequence=sequence))
            self._own.append(self._spare)
        return self._spare

    def accepted(self) -> None:
        """The broker may have heard the number; one that it has not is used again, which saves the card a write."""
        self._spare = None

    def publish_birth(self, link: DeviceConnection) -> None:
        """The device is there.

        Raises:
            BrokerError: the connection has ended.
            OutboxError: the message cannot be numbered.
        """
        self._replies = 0
        self._connections += 1
        birth_message = status.birth(
            self._identity,
            session=self._session,
            at=self._now(),
            sequence=self._birth_sequence,
            clock_synchronised=self._clock_quality(),
        )
        self._birth = to_bytes(birth_message)
        self._own.append(self._birth)
        self._publish(link, "status", self._birth, "the birth message")

    def weigh(self, link: DeviceConnection, received: Received) -> None:
        """A word under our status: our own, an earlier connection's, or another device's.

        Our own old will may reach the broker after our new birth; then the birth is said again.
        A stored number above ours means that our outbox was lost; readers would ignore us until we
        count on from there.

        Raises:
            BrokerError: we must count on from there, or the connection has ended.
        """
        if received.payload == self._birth:
            return
        number = status.session_of(received.payload)
        name = f"{self._identity.site}/{self._identity.device}"
        doubled = BrokerError(f"another device calls itself {name}", "give each its own name")
        # Between two connections of ours no client but us should have spoken here.
        other = received.stored and self._connections > 1 and self._is_of_another(received.payload, number)
        if other:
            self._stability.thrown_out(doubled)
        if number <= self._session:
            if not received.stored and self._replies < _MOST_REPLIES:
                self._replies += 1
                self._publish(link, "status", self._birth, "the birth message")
        elif received.stored:
            self._floor = number
            last_session = f"the broker remembers session {number}, we are at {self._session}"
            raise doubled if other else BrokerError(last_session, "counting on from it, nothing is to be done")
        else:
            self._stability.thrown_out(doubled)

    def _is_of_another(self, payload: bytes, session: int) -> bool:
        """Whether a status was not made by us since we started, nor by an earlier start of ours.

        Copies of one device on one computer share its boot; then only the numbers tell them apart.
        """
        boot = status.boot_of(payload)
        if boot is None or payload in self._own:
            return False
        return boot != self._identity.boot_id or session >= (self._first_session or 0)

    def post_health(self, message: Mapping[str, Any]) -> None:
        """Publish this next; only the latest is kept.

        Raises:
            InvalidMessage: it is not a leukoscope/health/1 message.
        """
        validate(message, status.HEALTH_SCHEMA)
        self._health = message

    def publish_health(self, link: DeviceConnection) -> None:
        """The device's health, where it was posted since the last time, with what then is wrong with reporting.

        It is asked for here: what only kept the broker away is over, and what ends each connection is not.

        Raises:
            BrokerError: the connection has ended.
            OutboxError: the message cannot be numbered.
        """
        health, self._health = self._health, None
        if health is not None:
            trouble = self._stability.trouble
            message = health if trouble is None else status.with_fault(health, trouble)
            self._publish(link, "health", to_bytes(status.stamped(message, **self._stamp())), "the health message")

    def publish_offline(self, link: DeviceConnection) -> None:
        """The device leaves on purpose.

        Raises:
            BrokerError: the connection has ended.
            OutboxError: the message cannot be numbered.
        """
        left = status.offline(self._identity, session=self._session, at=self._now(), **self._stamp())
        self._publish(link, "status", to_bytes(left), "the offline status")

    def _publish(self, link: DeviceConnection, name: str, payload: bytes, what: str) -> None:
        try:
            mid = link.publish(self._settings.topic_of(self._identity, name), payload, retain=link.keeps_retained)
        except InvalidMessage as error:
            # It can never be sent; reports may be small enough, and must not wait for it.
            self._stability.cannot_say(what, error)
        else:
            self._in_flight.add(mid, what)

    def _stamp(self) -> dict[str, Any]:
        """What a message that is made now says about its place and its clock."""
        return {"sequence": self._outbox.next_sequence(), "clock_synchronised": self._clock_quality()}
