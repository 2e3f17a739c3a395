"""What a collector's settings file may say."""

import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import Discriminator, Field, Tag, ValidationError

from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
from leukoscope.delivery.mqtt.publisher_settings import TopicRoot
from leukoscope.errors import SettingsError
from leukoscope.messages.identity import TOPIC_ROOT
from leukoscope.schema import FrozenModel, explain, table_of
from leukoscope.web_settings import WebSettings
from leukoscope_collector.intake import Share
from leukoscope_collector.intake.amqp import AmqpIntakeSettings
from leukoscope_collector.intake.mqtt import MqttIntakeSettings
from leukoscope_collector.postgres_store import PostgresSettings
from leukoscope_collector.sqlite_store import SqliteSettings

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


def _driver(broker: object) -> str:
    """Files of before the second driver name none."""
    named = broker.get("driver", "mqtt") if isinstance(broker, dict) else getattr(broker, "driver", "mqtt")
    return str(named)


Broker = Annotated[
    Annotated[MqttIntakeSettings, Tag("mqtt")] | Annotated[AmqpIntakeSettings, Tag("amqp")], Discriminator(_driver)
]


class MetricsSettings(FrozenModel):
    """Where Prometheus finds the figures."""

    host: str = "127.0.0.1"
    """Address to listen at; 0.0.0.0 shows the figures to the whole network."""
    port: Annotated[int, Field(ge=0, le=65535)] = 9108
    """0 serves none."""


class CollectorSettings(FrozenModel):
    """One collector: its broker, its store, and how much it takes at a time."""

    name: Name = "collector-1"
    """Unique and lasting: under this name the broker keeps what arrives while the collector is away."""
    group: Name = "collectors"
    """Collectors of one group share the reports among them. mosquitto lets any client join a group, and drops what
    falls to the share of one that may not read it: take a name that no outsider can guess, as `leukoscope-provision`
    does."""
    topic_root: TopicRoot = TOPIC_ROOT
    """First levels of every topic."""
    broker: Broker = MqttIntakeSettings(host="127.0.0.1")
    store: Annotated[SqliteSettings | PostgresSettings, Field(discriminator="driver")] = SqliteSettings()
    metrics: MetricsSettings = MetricsSettings()
    web: WebSettings = WebSettings()
    """Where `leukoscope-collector web` serves the review page."""
    operator: BrokerSettings | None = None
    """The MQTT broker by the certificate of an operator, who may command devices; None: `broker`, if that is MQTT."""
    batch: Annotated[int, Field(ge=1, le=5000)] = 500
    """Messages stored in one transaction at most, 1-5000."""
    linger_s: Annotated[float, Field(ge=0, le=5)] = 0.02
    """Seconds to wait for company for a message that came alone, up to 5."""
    receive_maximum: Annotated[int, Field(ge=1, le=65535)] = 1000
    """Messages the broker may have with us unacknowledged: what is more waits there, 1-65535."""
    session_expiry_s: Annotated[int, Field(ge=60, le=4294967295)] = 7 * 86400
    """Seconds for which the broker keeps what arrives while this collector is away; 4294967295 is for ever."""
    largest_report: Annotated[int, Field(ge=1000, le=16_000_000)] = 1_000_000
    """Bytes; what is larger is quarantined."""
    longest_retry_s: Annotated[float, Field(gt=0, le=600)] = 15
    """Seconds between attempts to reach broker or store at most, up to 600; they begin at 0.25 and double."""

    @property
    def share(self) -> Share:
        """What this collector takes from the broker."""
        return Share(
            self.name, self.group, self.topic_root, self.receive_maximum, self.session_expiry_s, self.largest_report
        )

    @classmethod
    def read(cls, file: Path | None, **changes: object) -> Self:
        """The settings in a TOML file, or the defaults; `changes` come from the command line.

        Raises:
            SettingsError: the file is missing or malformed; the text names every wrong key.
        """
        try:
            content = {} if file is None else table_of(file.read_bytes())
            settings = cls.model_validate(content | changes)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(
                f"the settings {file} cannot be read: {error}", "check the path, its owner and the disk"
            ) from error
        except ValidationError as error:
            raise SettingsError(f"{file or 'the command line'}: {explain(error)}", "correct it there") from error
        if isinstance(settings.store, PostgresSettings):
            settings.store.refuse_password()
        return settings
