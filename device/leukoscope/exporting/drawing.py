"""A small drawing of bars, lines, discs and words, which every format paints in its own way."""

from dataclasses import dataclass
from typing import Literal

INK, MUTED, HAIR, PAPER = "#1d2733", "#66717f", "#d9dee5", "#ffffff"
COUNTED, COUNTED_END = "#bccbdc", "#33587f"
CORRECTED = "#0b7d7f"
CAUTION, CAUTION_GROUND = "#7a4b00", "#fdf1d3"
ALARM, ALARM_GROUND = "#8f1d14", "#fbe1dd"

Side = Literal["left", "centre", "right"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    fill: str


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str
    width: float


@dataclass(frozen=True, slots=True)
class Disc:
    """A filled circle."""

    x: float
    y: float
    radius: float
    fill: str


@dataclass(frozen=True, slots=True)
class Words:
    """A short text on its baseline."""

    x: float
    y: float
    text: str
    size: float
    colour: str = MUTED
    side: Side = "left"


Mark = Bar | Line | Disc | Words


@dataclass(frozen=True, slots=True)
class Drawing:
    """Marks in points, x to the right and y down from the upper left corner, drawn in order."""

    width: float
    height: float
    marks: tuple[Mark, ...]
    description: str
    """The drawing in a sentence, for who cannot see it."""
