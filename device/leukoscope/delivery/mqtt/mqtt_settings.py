"""MQTT as one of the ways to deliver reports."""

from random import Random
from typing import TYPE_CHECKING, ClassVar, Literal

from leukoscope.delivery.mqtt.publisher_settings import PublisherSettings
from leukoscope.messages.identity import Identity
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.store import Outbox
from leukoscope.system.clock import Clock

if TYPE_CHECKING:
    from leukoscope.delivery.mqtt.publisher import Publisher


class MqttSettings(PublisherSettings):
    """Reports go to an MQTT broker."""

    takes_commands: ClassVar[bool] = True
    driver: Literal["mqtt"] = "mqtt"

    def open(
        self, outbox: Outbox, identity: Identity, *, now: Clock, rng: Random, commands: CommandInbox | None = None
    ) -> "Publisher":
        """A publisher that is not yet started; arguments as there."""
        # The command line need not load paho for its help.
        from leukoscope.delivery.mqtt.publisher import Publisher

        return Publisher(outbox, self, identity, now=now, rng=rng, commands=commands)
