"""Who is speaking: the names a device publishes under."""

import re
from dataclasses import dataclass

from leukoscope.errors import SettingsError

TOPIC_ROOT = "leukoscope/v1"
"""The first levels of every topic, unless the settings say otherwise."""

CHANNELS = ("status", "health", "report", "cell", "command", "result")
"""The last level of every topic; what each holds is in asyncapi.v1.json."""

_LEVEL = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Identity:
    """A device at a site; both names are topic levels and hold nothing about patients."""

    site: str
    """Letters, digits, dot, dash, underscore; 1-64."""
    device: str
    """Letters, digits, dot, dash, underscore; 1-64; unique at the site."""
    software_version: str
    boot_id: str
    """What the operating system calls this boot; orders messages when the clock was wrong."""

    def __post_init__(self) -> None:
        for what, name in (("site", self.site), ("device", self.device)):
            if not _LEVEL.fullmatch(name):
                raise SettingsError(
                    f"{what}: expected 1-64 letters, digits, dots, dashes or underscores, found {name!r}",
                    "choose another, it becomes a level of the MQTT topic",
                )

    def topic(self, name: str, root: str = TOPIC_ROOT) -> str:
        """The full topic of this device's messages of one kind, as `leukoscope/v1/ward-3/scope-1/report`."""
        return f"{root}/{self.site}/{self.device}/{name}"
