"""A device's connection to the broker: what it publishes, and what becomes of it."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from leukoscope.delivery.mqtt.connection import Connection
from leukoscope.delivery.mqtt.publisher_settings import PublisherSettings
from leukoscope.errors import InvalidMessage

_PACKET_OVERHEAD_BYTES = 64
_PASSING = {0x80, 0x83, 0x91, 0x97}
"""PUBACK reasons of MQTT 5 that may be gone tomorrow: unspecified, implementation, id in use, quota."""
_LARGEST_HEARD = 64 * 1024
"""Bytes of a packet that the broker may send us."""
_NOBODY_LISTENS = 0x10
_PACKET_TOO_LARGE = 0x95


@dataclass(frozen=True, slots=True)
class Answer:
    """What the broker said to one publication."""

    mid: int
    refusal: str | None
    """The reason in the words of MQTT; None when it was accepted."""
    for_good: bool
    """The refusal will be the same tomorrow."""
    received: bool
    """False when the broker says that no client subscribes to it (MQTT 5 only)."""


@dataclass(frozen=True, slots=True)
class Received:
    """What was said under a topic we listen to."""

    topic: str
    payload: bytes
    stored: bool
    """It was there before we listened."""
    reply_to: str | None = None
    """Where an answer is to go (MQTT 5 only)."""
    correlation: bytes | None = None
    """What the sender wants to know the answer by (MQTT 5 only)."""


class DeviceConnection(Connection):
    """A connection that publishes at QoS 1 and notes each answer, and listens to some topics."""

    def __init__(
        self, settings: PublisherSettings, client_id: str, will: tuple[str, bytes] | None, *, retained: bool = True
    ) -> None:
        """A connection that is not yet made.

        Args:
            settings: where to, and who we are.
            client_id: unique at the broker.
            will: topic and payload of what the broker publishes when this client vanishes; None: nothing.
            retained: the broker is to keep it for clients that connect later.
        """
        # A client that writes to our topics must not fill our memory.
        super().__init__(settings, client_id, protocol=settings.protocol, largest_packet=_LARGEST_HEARD)
        self._unread: set[int] = set()
        self._answers: deque[Answer] = deque()
        self._received: deque[Received] = deque()
        self._listens_to: tuple[str, ...] = ()
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        if will is not None:
            self._client.will_set(*will, qos=1, retain=retained)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool,
        needs_reader: bool = False,
        correlation: bytes | None = None,
    ) -> int:
        """Hand a message over at QoS 1; its answer comes under the number returned.

        Args:
            topic: the whole of it.
            payload: the message.
            retain: the broker keeps it for clients that connect later.
            needs_reader: a message to which no client is subscribed counts as refused (MQTT 5 only).
            correlation: what the receiver wants to know it by (MQTT 5 only).

        Raises:
            InvalidMessage: the message can never be sent to this broker.
            BrokerError: the connection has ended.
        """
        if self._largest_packet and len(topic) + len(payload) + _PACKET_OVERHEAD_BYTES > self._largest_packet:
            raise InvalidMessage(
                f"{len(payload)} bytes, and the broker takes packets of {self._largest_packet}",
                "raise the broker's limit",
            )
        try:
            properties = self._properties("PUBLISH", CorrelationData=correlation)
            info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        except ValueError as error:
            raise InvalidMessage(f"MQTT cannot carry it: {error}", "shorten the name of the site or device") from error
        if info.rc != 0:
            raise self._why_ended()
        if needs_reader:
            self._unread.add(info.mid)
        return info.mid

    def listen(self, *topics: str) -> None:
        """Ask for what others say under topics; a broker that forbids one is not asked again."""
        self._listens_to = topics
        self._client.subscribe([(topic, 1) for topic in topics])

    def answers(self) -> list[Answer]:
        """The answers since the last call."""
        return [self._answers.popleft() for _ in range(len(self._answers))]

    def received(self) -> list[Received]:
        """What was heard since the last call."""
        return [self._received.popleft() for _ in range(len(self._received))]

    def blame(self, *, alone: bool) -> str | None:
        """Why the one message in flight ended the connection and would do so again; None if it need not.

        A readable reason is believed at once. An unreadable answer is held against the message only
        if it was in flight alone.
        """
        if self._disconnect_reason is not None and self._disconnect_reason.value == _PACKET_TOO_LARGE:
            return "too large for the broker"
        if self._unreadable and alone:
            # mosquitto 2.0 answers what exceeds its message_size_limit with a code MQTT does not have.
            return "the broker answers it with what is not MQTT: is it larger than the broker's size limit?"
        return None

    def _on_publish(self, client: Any, data: Any, mid: int, reason: Any, properties: Any) -> None:
        needs_reader = mid in self._unread
        self._unread.discard(mid)
        received = reason.value != _NOBODY_LISTENS
        refusal = str(reason) if reason.is_failure or (needs_reader and not received) else None
        self._answers.append(
            Answer(
                mid=mid,
                refusal=refusal,
                for_good=reason.is_failure and reason.value not in _PASSING,
                received=received,
            )
        )

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        # amqtt hands new clients stored messages of topics they did not ask for.
        if message.topic in self._listens_to:
            properties = message.properties
            self._received.append(
                Received(
                    topic=message.topic,
                    payload=bytes(message.payload),
                    stored=bool(message.retain),
                    reply_to=getattr(properties, "ResponseTopic", None),
                    correlation=getattr(properties, "CorrelationData", None),
                )
            )
