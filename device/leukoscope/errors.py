"""Every error leukoscope raises on purpose.

Each message says what was expected, what was found and what to do; the command line prints it as
one line and exits with code 2. The leaves also inherit the built-in exception a caller would expect.
"""

import re
from typing import Self

_LOGIN_IN_URL = re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s'\"]*@", re.IGNORECASE)
"""Up to the last @: people type passwords with @ and / as they are."""
_NAMED_SECRET = re.compile(
    r"((?:passw(?:or)?d|passphrase|pass|pwd|pw|secret|token|api[-_]?key)\s*=\s*)(\\?\"[^\"]*\"|'[^']*'|[^\s&;!'\"]+)",
    re.IGNORECASE,
)
"""As in `?user=admin&password=…` of a camera's address, or `user-pw=…` of GStreamer's rtspsrc."""


def without_logins(text: str) -> str:
    """The text without what stands before the @ of an address, and without values that are named as secrets."""
    return _NAMED_SECRET.sub(r"\1[left out]", _LOGIN_IN_URL.sub(r"\1[left out]@", text))


def reason_of(error: Exception) -> str:
    """Why something failed, in words: of the operating system's errors without their number and path.

    Messages name the path themselves, and a number means nothing to an operator.
    """
    return (isinstance(error, OSError) and error.strerror) or str(error)


class LeukoscopeError(Exception):
    """Something the operator can understand and act on; no login in an address comes to a display or a log by it."""

    def __str__(self) -> str:
        return without_logins(super().__str__())

    def __init__(self, happened: str, todo: str) -> None:
        """State what was expected and found, and what to do about it.

        Args:
            happened: what was expected, what was found.
            todo: what to do, as a command or a question.
        """
        super().__init__(f"{happened}: {todo}")
        self.happened = happened
        self.todo = todo

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        """An error that another process raised arrives with both."""
        return type(self), (self.happened, self.todo)


class SettingsError(LeukoscopeError, ValueError):
    """A settings file is missing, misspelt or holds a value of the wrong type."""


class PictureError(LeukoscopeError, ValueError):
    """A picture file cannot be read as a micrograph."""


class CalibrationError(LeukoscopeError, ValueError):
    """A calibration is missing, corrupt or made for another light path."""


class BundleError(LeukoscopeError, ValueError):
    """A model bundle is missing, altered or not what its manifest says."""


class EngineUnavailable(LeukoscopeError, RuntimeError):
    """The inference runtime named in the settings is not installed or cannot run the bundle."""


class AdaptingError(LeukoscopeError, ValueError):
    """A laboratory's cells cannot teach a classifier, or do not make it better."""


class CameraError(LeukoscopeError, OSError):
    """A camera failed."""


class CameraUnavailable(CameraError):
    """The configured camera is not there, busy, or its driver is not installed."""


class CameraTimeout(CameraError, TimeoutError):
    """The camera is open but no frame came in time."""


class CameraInterrupted(CameraError):
    """No frame came, and the driver is getting the camera back: show it, and ask again."""


class DisplayError(LeukoscopeError, OSError):
    """A display is missing or stopped answering; an analysis goes on without it."""


class ControlError(LeukoscopeError, OSError):
    """The button or keyboard cannot be used."""


class OutboxError(LeukoscopeError, OSError):
    """The store of unsent reports cannot be opened or written."""


class BrokerError(LeukoscopeError, OSError):
    """The MQTT broker cannot be reached or refuses us."""


class BoardError(LeukoscopeError, OSError):
    """The board is too hot, too weakly supplied or short of memory."""


class InvalidMessage(LeukoscopeError, ValueError):
    """A message does not follow the published schema."""


class ReviewError(LeukoscopeError, ValueError):
    """What a person asked of a report cannot be done at this point of its life."""


class ExportError(LeukoscopeError, RuntimeError):
    """A report that was asked for is not there, or what would write it is not installed."""


class TrendError(LeukoscopeError, OSError):
    """The record of the instrument's own runs cannot be read or written."""
