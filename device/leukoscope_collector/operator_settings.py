"""What an operator's settings file says: who commands, and through which broker."""

import tomllib
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError

from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
from leukoscope.delivery.mqtt.publisher_settings import TopicRoot
from leukoscope.errors import SettingsError
from leukoscope.messages.identity import TOPIC_ROOT
from leukoscope.schema import FrozenModel, explain, table_of


class OperatorSettings(FrozenModel):
    """The file that `leukoscope-provision --operator NAME` writes."""

    name: str = Field(min_length=1, max_length=200)
    """Stands in the audit trail of the device."""
    topic_root: TopicRoot = TOPIC_ROOT
    """First levels of every topic."""
    broker: BrokerSettings

    @classmethod
    def read(cls, file: Path) -> Self:
        """The settings in a TOML file.

        Raises:
            SettingsError: the file is missing or malformed; the text names every wrong key.
        """
        try:
            return cls.model_validate(table_of(file.read_bytes()))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(
                f"the settings {file} cannot be read: {error}", "check the path, its owner and the disk"
            ) from error
        except ValidationError as error:
            raise SettingsError(f"{file}: {explain(error)}", "correct it in this file") from error
