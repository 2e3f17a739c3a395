"""What a running bench does at this moment, as the page in the browser beside it reads it from a file in memory."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from leukoscope.schema import FrozenModel

Doing = Literal["ready", "counting", "paused", "result"]


class UnderWay(FrozenModel):
    """The sample that is being counted or paused."""

    report: str
    """The id that its report will have."""
    sample_id: str


class LiveState(FrozenModel):
    """One moment."""

    at: datetime
    """When it was written; anew every few seconds, while the main loop turns."""
    doing: Doing
    sample: UnderWay | None
    screens: Mapping[str, Mapping[str, Any]]
    """What the displays show, by the kind of screen, and what they showed before that still holds."""
    alarms: tuple[str, ...]
    """What the instrument's own trend warns of."""
    focus: float | None
    """Sharpness of the newest picture, 0-1."""
    frame: int
    """Counts up with each picture; 0: there is none."""
    calibration: str
    calibration_measured: bool
    least_sharpness: float
    """Below it a field is refused as out of focus, 0-1."""
