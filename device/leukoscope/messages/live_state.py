"""What a running bench does at this moment, as the page in the browser beside it reads it from a file in memory."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from leukoscope.schema import FrozenModel
from leukoscope.sentence import Sentence, Verbatim, from_wire, to_wire

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
    """What the displays show, by the kind of screen, and what they showed before that still holds; texts as
    `with_texts` reads them."""
    alarms: tuple[Any, ...]
    """What the instrument's own trend warns of, likewise."""
    focus: float | None
    """Sharpness of the newest picture, 0-1."""
    frame: int
    """Counts up with each picture; 0: there is none."""
    calibration: str
    calibration_measured: bool
    least_sharpness: float
    """Below it a field is refused as out of focus, 0-1."""


def to_be_written(content: Any) -> Any:
    """Content of a screen in which each text stands by its id and values."""
    match content:
        case Sentence() | Verbatim():
            return to_wire(content)
        case dict():
            return {key: to_be_written(value) for key, value in content.items()}
        case list() | tuple():
            return [to_be_written(value) for value in content]
    return content


def with_texts(content: Any) -> Any:
    """What `to_be_written` was given."""
    match content:
        case {"verbatim": _} | {"id": _, "values": _}:
            return from_wire(content) or ""
        case dict():
            return {key: with_texts(value) for key, value in content.items()}
        case list() | tuple():
            return [with_texts(value) for value in content]
    return content
