"""How a device speaks to its MQTT broker."""

from typing import Annotated, Literal

from pydantic import AliasChoices, Field, StringConstraints

from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
from leukoscope.messages.identity import TOPIC_ROOT, Identity

TopicRoot = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", max_length=200)]


class PublisherSettings(BrokerSettings):
    """How reports go to an MQTT broker, under `<topic_root>/<site>/<device>/`."""

    protocol: Literal["5", "3.1.1"] = "5"
    """MQTT version. 3.1.1 has no way to refuse a report: what the broker's rules forbid is lost unseen."""
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    """None: leukoscope-<site>-<device>."""
    topic_root: TopicRoot = TOPIC_ROOT
    """First levels of every topic."""
    needs_reader: bool = False
    """Keep a report that no client is subscribed to, and try again later (only MQTT 5 brokers say so)."""
    ack_timeout_s: float = Field(default=20, gt=0, le=600)
    """Seconds to wait for the acknowledgement of a report before it is sent again, up to 600."""
    redelivery_window_s: float = Field(
        default=60, ge=0, le=86400, validation_alias=AliasChoices("redelivery_window_s", "doubt_s")
    )
    """Seconds, up to 86400: reports acknowledged so shortly before a connection was lost are sent again, since a broker
    that crashed may have lost them. More than the broker lets pass between its saves; 0 sends none again."""
    first_retry_s: float = Field(default=1, gt=0, le=60)
    """Seconds before the first new attempt after a failure; doubles from there, up to 60."""
    longest_retry_s: float = Field(default=60, gt=0, le=3600)
    """Seconds between attempts at most, up to 3600."""
    reconnect_spread_s: float = Field(default=0, ge=0, le=600)
    """Seconds, up to 600, over which the devices that lose a broker together spread their first attempt."""
    in_flight: int = Field(default=10, ge=1, le=100)
    """Reports sent and not yet acknowledged at most, 1-100."""

    def client_id_of(self, identity: Identity) -> str:
        """The client id that is really used."""
        return self.client_id or f"leukoscope-{identity.site}-{identity.device}"

    def topic_of(self, identity: Identity, name: str) -> str:
        """The full topic of a device's messages of one kind, as `report`."""
        return identity.topic(name, self.topic_root)
