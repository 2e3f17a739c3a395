"""From an MQTT 5 broker, through a subscription that the collectors share."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Literal

from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
from leukoscope.delivery.mqtt.connection import Connection
from leukoscope.errors import BrokerError
from leukoscope_collector.intake import Delivery, Share

_TURN_S = 0.1
_PAUSE_S = 0.01
_BEGINNING_BYTES = 65_536
_MOST_WAITING_BYTES = 4 * 2**20
_log = logging.getLogger(__name__)


class MqttIntakeSettings(BrokerSettings):
    """An MQTT 5 broker such as mosquitto."""

    driver: Literal["mqtt"] = "mqtt"

    def open(self, share: Share, give_up: Callable[[], bool]) -> "MqttIntake":
        """An intake that is connected and subscribed.

        Args:
            share: what is to be taken.
            give_up: asked while waiting.

        Raises:
            BrokerError: the broker is not there, or refuses connection or subscription.
        """
        intake = MqttIntake(self, share)
        try:
            intake.open(give_up)
        except BaseException:
            intake.close()
            raise
        return intake


class MqttIntake(Connection):
    """A connection that subscribes and acknowledges nothing by itself.

    Everything but status is shared with the other collectors of the group. Status is not: it is
    retained, and a shared subscription is not given what is retained.
    """

    def __init__(self, settings: BrokerSettings, share: Share) -> None:
        super().__init__(
            settings,
            f"leukoscope-{share.name}",
            session_expiry_s=share.session_expiry_s,
            receive_maximum=share.receive_maximum,
            manual_ack=True,
            largest_payload=share.largest,
        )
        self._deliveries: deque[Delivery] = deque()
        self._waiting_bytes = 0
        self._answer: list[Any] | None = None
        root = f"{share.topic_root}/+/+"
        shared = [f"$share/{share.group}/{root}/{kind}" for kind in ("report", "health", "cell", "result")]
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
            self.poll(_TURN_S)
            if give_up():
                raise BrokerError("stopped while connecting", "start it again")
        for topic, reason in zip(self._topics, self._answer, strict=False):
            if reason.is_failure:
                raise BrokerError(f"the broker refused the subscription to {topic} ({reason})", "see its access rules")

    def _refuse_limits(self) -> None:
        super()._refuse_limits()
        if not (self._shares and self._takes_wildcards):
            lacking = "wildcards" if self._shares else "shared subscriptions"
            raise BrokerError(
                f"the broker {self._settings.where} offers no {lacking}, which a collector needs",
                "have it allow them, or use another broker",
            )
        if self._session_kept_s is not None and self._session_kept_s < self._session_expiry_s:
            _log.warning(
                "the broker keeps what arrives while this collector is away for %d s only, not for the %d s asked for",
                self._session_kept_s,
                self._session_expiry_s,
            )

    def poll(self, timeout_s: float) -> None:
        """As in `Intake`; while much waits to be taken nothing is read, and the broker has to wait."""
        if self._waiting_bytes < _MOST_WAITING_BYTES:
            super().poll(timeout_s)
        else:
            time.sleep(min(timeout_s, _PAUSE_S))

    @property
    def waiting(self) -> int:
        """As in `Intake`."""
        return len(self._deliveries)

    def take(self, most: int) -> list[Delivery]:
        """As in `Intake`."""
        taken = [self._deliveries.popleft() for _ in range(min(most, len(self._deliveries)))]
        self._waiting_bytes -= sum(len(delivery.payload) for delivery in taken)
        return taken

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """As in `Intake`."""
        for delivery in deliveries:
            if delivery.tag is not None:
                self._client.ack(delivery.tag, 1)

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        tag = message.mid if message.qos else None
        cut_from = self._packets.cut_from
        # Of what is too large for a report, the beginning is enough.
        payload = bytes(message.payload if cut_from is None else message.payload[:_BEGINNING_BYTES])
        self._deliveries.append(Delivery(message.topic, payload, tag, cut_from))
        self._waiting_bytes += len(payload)

    def _on_subscribe(self, client: Any, data: Any, mid: int, reasons: Any, properties: Any) -> None:
        self._answer = list(reasons)
