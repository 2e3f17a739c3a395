"""Where the MQTT broker is and how to speak to it."""

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from leukoscope.reporting.identity import TOPIC_ROOT, Identity
from leukoscope.reporting.outbox import Outbox
from leukoscope.reporting.sink import Clock
from leukoscope.schema import FrozenModel

if TYPE_CHECKING:
    from leukoscope.reporting.commands import Commands
    from leukoscope.reporting.mqtt_publisher import Publisher

TopicRoot = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", max_length=200)]


class MqttSettings(FrozenModel):
    """Reports go to an MQTT broker, under `<topic_root>/<site>/<device>/`."""

    driver: Literal["mqtt"] = "mqtt"
    host: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    """Name or address of the broker."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """None: 8883 with tls, 1883 without."""
    tls: bool = False
    """Encrypt, and check the broker's certificate; there is no way not to check it."""
    ca_file: Path | None = None
    """PEM file of the authority that signed the broker's certificate; None: the system's authorities."""
    client_cert: Path | None = None
    """PEM file of this device's certificate, where the broker asks for one."""
    client_key: Path | None = None
    """PEM file of its key."""
    username: str | None = None
    password_file: Path | None = None
    """A file that holds the password and nothing else; read anew at every connection."""
    protocol: Literal["5", "3.1.1"] = "5"
    """MQTT version. 3.1.1 has no way to refuse a report: what the broker's rules forbid is lost unseen."""
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    """None: leukoscope-<site>-<device>."""
    topic_root: TopicRoot = TOPIC_ROOT
    """First levels of every topic."""
    keepalive_s: int = Field(default=30, ge=2, le=3600)
    """Seconds of silence after which the broker is asked whether it is still there, 2-3600."""
    connect_timeout_s: float = Field(default=10, gt=0, le=120)
    """Seconds to wait for a connection and for the broker's yes, up to 120."""
    ack_timeout_s: float = Field(default=20, gt=0, le=600)
    """Seconds to wait for the acknowledgement of a report before it is sent again, up to 600."""
    first_retry_s: float = Field(default=1, gt=0, le=60)
    """Seconds before the first new attempt after a failure; doubles from there, up to 60."""
    longest_retry_s: float = Field(default=60, gt=0, le=3600)
    """Seconds between attempts at most, up to 3600."""
    in_flight: int = Field(default=10, ge=1, le=100)
    """Reports sent and not yet acknowledged at most, 1-100."""

    @model_validator(mode="after")
    def _pairs_are_whole(self) -> Self:
        if (self.client_cert is None) != (self.client_key is None):
            raise ValueError("client_cert and client_key belong together: set both or neither")
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file needs a username")
        if not self.tls and (self.ca_file is not None or self.client_cert is not None):
            raise ValueError("ca_file and client_cert need tls = true; without it nothing is encrypted")
        return self

    @property
    def address_port(self) -> int:
        """The port that is really used."""
        return self.port or (8883 if self.tls else 1883)

    def open(
        self, outbox: Outbox, identity: Identity, *, now: Clock, rng: Random, commands: "Commands | None" = None
    ) -> "Publisher":
        """A publisher that is not yet started; arguments as there."""
        from leukoscope.reporting.mqtt_publisher import Publisher

        return Publisher(outbox, self, identity, now=now, rng=rng, commands=commands)

    def client_id_of(self, identity: Identity) -> str:
        """The client id that is really used."""
        return self.client_id or f"leukoscope-{identity.site}-{identity.device}"
