"""A result is durable before it is sent, and stays so until the broker has acknowledged it."""

from typing import Annotated

from pydantic import Field

from leukoscope.reporting.identity import Identity
from leukoscope.reporting.journal import FolderSettings
from leukoscope.reporting.kept import NoReportSettings
from leukoscope.reporting.mqtt import MqttSettings
from leukoscope.reporting.outbox import Outbox
from leukoscope.reporting.sink import Sink, SinkState

ReportingSettings = Annotated[
    MqttSettings | FolderSettings | NoReportSettings,
    Field(discriminator="driver"),
]
"""Where finished reports go: to a broker, into a folder, or nowhere beyond the outbox."""

__all__ = [
    "FolderSettings",
    "Identity",
    "MqttSettings",
    "NoReportSettings",
    "Outbox",
    "ReportingSettings",
    "Sink",
    "SinkState",
]
