"""Sends one command to one device as the operator, and waits for the device's result."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leukoscope.delivery.mqtt.connection import Connection
from leukoscope.errors import BrokerError, InvalidMessage
from leukoscope.messages.command import CommandName, Outcome, command_of, read_result
from leukoscope.messages.identity import Identity
from leukoscope_collector.operator_settings import OperatorSettings

_TURN_S = 0.1
_NOBODY_LISTENS = 0x10


@dataclass(frozen=True, slots=True)
class Order:
    """What a device is asked to do."""

    site: str
    device: str
    name: CommandName
    arguments: Mapping[str, str]
    life: timedelta
    """The device does not begin later than this after the command was issued."""


class OperatorConnection(Connection):
    """A connection that publishes one command and hears the results of one device."""

    def __init__(self, settings: OperatorSettings, result_topic: str) -> None:
        super().__init__(settings.broker, f"leukoscope-operator-{secrets.token_hex(8)}")
        self._result_topic = result_topic
        self._subscribed: Any = None
        self._acknowledged: Any = None
        self.results: list[tuple[str | None, Outcome]] = []
        """The id of each command that was answered, and what became of it."""
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message

    def listen(self, until_s: float) -> None:
        """Connect and subscribe to the results.

        Raises:
            BrokerError: the broker is not there, refuses us, or does not answer in time.
        """
        self.connect(lambda: time.monotonic() > until_s)
        self._client.subscribe([(self._result_topic, 1)])
        while self._subscribed is None:
            self._wait(until_s, "the subscription")
        if self._subscribed.is_failure:
            raise BrokerError(
                f"the broker refused the subscription to {self._result_topic} ({self._subscribed})",
                "is this the certificate of an operator?",
            )

    def send(self, topic: str, payload: bytes, until_s: float) -> None:
        """Publish the command and wait for the broker's answer.

        Raises:
            BrokerError: the broker refused it, no device listens, or no answer came in time.
        """
        self._client.publish(topic, payload, qos=1, retain=False)
        while self._acknowledged is None:
            self._wait(until_s, "the command")
        if self._acknowledged.is_failure:
            raise BrokerError(
                f"the broker refused the command ({self._acknowledged})", "is this the certificate of an operator?"
            )
        if self._acknowledged.value == _NOBODY_LISTENS:
            device = topic.rpartition("/")[0]
            raise BrokerError(
                f"nobody hears {device}", "is the device on, and commands.allow in its settings not empty?"
            )

    def _wait(self, until_s: float, what: str) -> None:
        self.turn(_TURN_S)
        if time.monotonic() > until_s:
            raise BrokerError(f"{self._settings.where} did not answer {what} in time")

    def _on_subscribe(self, client: Any, data: Any, mid: int, reasons: Any, properties: Any) -> None:
        self._subscribed = reasons[0]

    def _on_publish(self, client: Any, data: Any, mid: int, reason: Any, properties: Any) -> None:
        self._acknowledged = reason

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        try:
            self.results.append(read_result(bytes(message.payload)))
        except InvalidMessage:
            # What a device says beside its results is the collector's to judge.
            return


def send_command(settings: OperatorSettings, order: Order, *, now: datetime, timeout_s: float) -> Outcome:
    """Command a device and wait for its result.

    Args:
        settings: who commands, and where.
        order: what is commanded.
        now: timezone-aware; the moment of issue.
        timeout_s: how long to wait for broker and device together.

    Raises:
        BrokerError: the broker refused, no device listens, or no answer came in time.
        InvalidMessage: the command breaks the published schema.
        SettingsError: the device cannot be called so.
    """
    device = Identity(order.site, order.device, "", "")
    identifier = secrets.token_hex(16)
    payload = command_of(
        identifier,
        order.name,
        by=settings.name,
        issued_at=now,
        expires_at=now + order.life,
        arguments=order.arguments,
    )
    until_s = time.monotonic() + timeout_s
    connection = OperatorConnection(settings, device.topic("result", settings.topic_root))
    try:
        connection.listen(until_s)
        connection.send(device.topic("command", settings.topic_root), payload, until_s)
        while True:
            for answered, outcome in connection.results:
                if answered == identifier:
                    connection.leave()
                    return outcome
            if time.monotonic() > until_s:
                raise BrokerError(
                    f"{order.site}/{order.device} did not say within {timeout_s:g} s what became of the command: "
                    "it may still do it until the command expires"
                )
            connection.turn(_TURN_S)
    finally:
        connection.close()
