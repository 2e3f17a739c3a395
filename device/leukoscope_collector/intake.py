"""What the broker hands to a collector, and keeps until the collector says that it is stored."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from leukoscope.delivery.mqtt.connection import Connection
from leukoscope.errors import BrokerError
from leukoscope_collector.settings import CollectorSettings

_TURN_S = 0.1


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message, not yet acknowledged."""

    topic: str
    payload: bytes
    mid: int
    qos: int


class Intake(Connection):
    """A connection that subscribes and acknowledges nothing by itself.

    Everything but status is shared with the other collectors of the group. Status is not: it is
    retained, and a shared subscription is not given what is retained.
    """

    def __init__(self, settings: CollectorSettings) -> None:
        super().__init__(
            settings.broker,
            f"leukoscope-{settings.name}",
            session_expiry_s=settings.session_expiry_s,
            receive_maximum=settings.receive_maximum,
            manual_ack=True,
        )
        self._deliveries: deque[Delivery] = deque()
        self._answer: list[Any] | None = None
        root = f"{settings.topic_root}/+/+"
        shared = [f"$share/{settings.group}/{root}/{kind}" for kind in ("report", "health", "cell", "result")]
        self._topics = [*shared, f"{root}/status"]
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe

    def open(self, give_up: Callable[[], bool]) -> None:
        """Connect and subscribe.

        Raises:
            BrokerError: the broker is not there, or refuses connection or subscription.
        """
        self.connect(give_up)
        self._client.subscribe([(topic, 1) for topic in self._topics])
        while self._answer is None:
            self.turn(_TURN_S)
            if give_up():
                raise BrokerError("stopped while connecting")
        for topic, reason in zip(self._topics, self._answer, strict=False):
            if reason.is_failure:
                raise BrokerError(f"the broker refused the subscription to {topic} ({reason}): see its access rules")

    @property
    def waiting(self) -> int:
        """Messages that came and were not taken."""
        return len(self._deliveries)

    def take(self, most: int) -> list[Delivery]:
        """Up to `most` messages, in the order of arrival."""
        return [self._deliveries.popleft() for _ in range(min(most, len(self._deliveries)))]

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """They are stored: the broker may forget them. To be called only after the commit."""
        for delivery in deliveries:
            if delivery.qos:
                self._client.ack(delivery.mid, delivery.qos)

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        self._deliveries.append(Delivery(message.topic, bytes(message.payload), message.mid, message.qos))

    def _on_subscribe(self, client: Any, data: Any, mid: int, reasons: Any, properties: Any) -> None:
        self._answer = list(reasons)
