"""Commands to devices, given as an operator, and their results."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
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
    arguments: Mapping[str, Any]
    life: timedelta
    """The device does not begin later than this after the command was issued."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a device said became of a command."""

    site: str
    device: str
    command: str | None
    """Its id; None where the device could read none."""
    outcome: Outcome


class OperatorConnection(Connection):
    """A connection that publishes commands at QoS 1 and hears what devices say became of them."""

    def __init__(self, settings: BrokerSettings, client_id: str, result_topic: str) -> None:
        """A connection that is not yet made.

        Args:
            settings: the broker, and the credentials of an operator.
            client_id: unique at the broker.
            result_topic: whose results to hear; site and device may be wildcards.
        """
        super().__init__(settings, client_id)
        self._result_topic = result_topic
        self._subscribed: Any = None
        self._acknowledged: dict[int, Any] = {}
        self._results: list[Answered] = []
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message

    def listen(self, give_up: Callable[[], bool]) -> None:
        """Connect and subscribe to the results.

        Raises:
            BrokerError: the broker is not there, refuses us, or does not answer in time.
        """
        self.connect(give_up)
        self._client.subscribe([(self._result_topic, 1)])
        until_s = time.monotonic() + self._settings.connect_timeout_s
        while self._subscribed is None:
            self._wait(lambda: give_up() or time.monotonic() > until_s, "the subscription")
        if self._subscribed.is_failure:
            raise BrokerError(
                f"the broker refused the subscription to {self._result_topic} ({self._subscribed})",
                "is this the certificate of an operator?",
            )

    def publish(self, topic: str, payload: bytes) -> int:
        """Give a command to the broker; a number to ask `answer_to` with."""
        return int(self._client.publish(topic, payload, qos=1, retain=False).mid)

    def answer_to(self, number: int) -> str | None:
        """What the broker said to a command, once: empty when it passed it on, or why it did not reach the device.

        Returns:
            None while it has not answered.

        Raises:
            BrokerError: it refused the command.
        """
        reason = self._acknowledged.pop(number, None)
        if reason is None:
            return None
        if reason.is_failure:
            raise BrokerError(f"the broker refused the command ({reason})", "is this the certificate of an operator?")
        return "nobody hears it there" if reason.value == _NOBODY_LISTENS else ""

    def send(self, topic: str, payload: bytes, give_up: Callable[[], bool]) -> None:
        """Publish a command and wait for the broker's answer.

        Raises:
            BrokerError: the broker refused it, no device listens, or no answer came in time.
        """
        number = self.publish(topic, payload)
        while (answer := self.answer_to(number)) is None:
            self._wait(give_up, "the command")
        if answer:
            device = topic.rpartition("/")[0]
            raise BrokerError(
                f"nobody hears {device}", "is the device on, and commands.allow in its settings not empty?"
            )

    def results(self) -> list[Answered]:
        """What devices have said since the last call."""
        heard, self._results = self._results, []
        return heard

    def _wait(self, give_up: Callable[[], bool], what: str) -> None:
        self.poll(_TURN_S)
        if give_up():
            raise BrokerError(
                f"{self._settings.where} did not answer {what} in time", "try again; does the broker run?"
            )

    def _on_subscribe(self, client: Any, data: Any, mid: int, reasons: Any, properties: Any) -> None:
        self._subscribed = reasons[0]

    def _on_publish(self, client: Any, data: Any, mid: int, reason: Any, properties: Any) -> None:
        self._acknowledged[mid] = reason

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        try:
            command, outcome = read_result(bytes(message.payload))
        except InvalidMessage:
            # What a device says beside its results is the collector's to judge.
            return
        site, device, _ = message.topic.rsplit("/", 3)[1:]
        self._results.append(Answered(site, device, command, outcome))


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

    def is_late() -> bool:
        return time.monotonic() > until_s

    client_id = f"leukoscope-operator-{secrets.token_hex(8)}"
    connection = OperatorConnection(settings.broker, client_id, device.topic("result", settings.topic_root))
    try:
        connection.listen(is_late)
        connection.send(device.topic("command", settings.topic_root), payload, is_late)
        while True:
            for answered in connection.results():
                if answered.command == identifier:
                    connection.leave()
                    return answered.outcome
            if is_late():
                raise BrokerError(
                    f"{order.site}/{order.device} did not say within {timeout_s:g} s what became of the command: "
                    "it may still do it until the command expires",
                    "look at its status before you send it again",
                )
            connection.poll(_TURN_S)
    finally:
        connection.close()
