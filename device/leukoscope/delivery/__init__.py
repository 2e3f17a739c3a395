"""A result is durable before it is sent, and stays so until the broker has acknowledged it."""

from typing import Annotated

from pydantic import Field

from leukoscope.delivery.folder import FolderSettings
from leukoscope.delivery.mqtt.mqtt_settings import MqttSettings
from leukoscope.delivery.none import NoDeliverySettings
from leukoscope.delivery.sink import Sink, SinkStatus
from leukoscope.messages.identity import Identity
from leukoscope.outbox.store import Outbox

ReportingSettings = Annotated[
    MqttSettings | FolderSettings | NoDeliverySettings,
    Field(discriminator="driver"),
]
"""Where finished reports go: to a broker, into a folder, or nowhere beyond the outbox."""

__all__ = [
    "FolderSettings",
    "Identity",
    "MqttSettings",
    "NoDeliverySettings",
    "Outbox",
    "ReportingSettings",
    "Sink",
    "SinkStatus",
]
