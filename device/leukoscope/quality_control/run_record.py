"""What one run said about the instrument."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

SAMPLES = "samples"
"""The reference of every ordinary sample: none."""

SHARE_OF = "share_of_"
"""Begins the name of a measure that is the share of a class."""


class Kind(StrEnum):
    """Why a run was written down."""

    SAMPLE = "sample"
    """A specimen was counted."""
    CHECK = "check"
    """A reference was counted, which should be the same every time."""
    RESTART = "restart"
    """Something was changed on purpose; a new baseline begins here."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run; it holds nothing about the specimen but its shares of classes."""

    at: datetime
    kind: Kind
    reference: str
    """What was counted: `SAMPLES`, or the name of a reference."""
    subject: str
    """Id of the report; empty for a check."""
    fields: int = 0
    """Counted fields."""
    white_cells: int = 0
    software: str = ""
    calibration: str = ""
    measures: Mapping[str, float | None] = field(default_factory=dict)
    """By the names of `MEASURES`; None where nothing could be measured."""
    classes: Mapping[str, float] = field(default_factory=dict)
    """Share of each class seen, 0-1."""

    def value(self, name: str) -> float | None:
        """One of `MEASURES`, or the share of a class; None where nothing could be measured."""
        if not name.startswith(SHARE_OF):
            return self.measures.get(name)
        return self.classes.get(name.removeprefix(SHARE_OF), 0.0) if self.classes else None


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure for the instrument's state."""

    title: str
    unit: str
    decimals: int
    least_s: float | None
    """The smallest standard deviation its limits are made from: less is not worth a person's time. None: no limits."""
    of_samples: bool = False
    """It should be the same for every specimen, so samples have limits too."""


MEASURES = {
    "background_level": Measure("Lamp level", "of 255", 0, 1.0, of_samples=True),
    "background_red_ratio": Measure("Red of the light", "of green", 3, 0.004, of_samples=True),
    "background_blue_ratio": Measure("Blue of the light", "of green", 3, 0.004, of_samples=True),
    "sharpness": Measure("Sharpness", "", 3, 0.004),
    "red_cell_diameter_um": Measure("Red-cell diameter", "µm", 2, 0.02),
    "white_per_1000_red": Measure("White per 1000 red", "", 1, 0.3),
    "refused_share": Measure("Fields refused", "of 1", 2, 0.01),
    "ms_per_field": Measure("Time per field", "ms", 0, None),
    "exposure_us": Measure("Exposure", "µs", 0, None),
    "analogue_gain": Measure("Sensor gain", "", 2, None),
    "gain_red": Measure("Red gain", "", 2, None),
    "gain_blue": Measure("Blue gain", "", 2, None),
}
"""What is measured of every run. The level and the colours of the light are those of empty glass as the camera saw it,
before any correction: of the brightest twentieth of each picture."""


def measure_of(name: str) -> Measure:
    """One of `MEASURES`, or what the share of a class is: without limits, since it is the specimen's."""
    if not name.startswith(SHARE_OF):
        return MEASURES[name]
    return Measure(f"Share of {name.removeprefix(SHARE_OF).replace('_', ' ')}", "of 1", 2, None)
