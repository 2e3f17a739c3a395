"""The white cells of one sample, each with a number, so that people can speak about them."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CellRecord:
    """One white cell of a report."""

    number: int
    """Counts up from 1 within the report; with the report's id it names the cell for good."""
    field: int
    """Which counted field of the sample shows it best, from 1."""
    cell_class: str
    """What the classifier called it; empty for a cell that the device missed and a person added."""
    confidence: float
    """The classifier's, 0-1."""
    box: tuple[int, int, int, int]
    """[xmin, ymin, xmax, ymax], half-open, in pixels of that field."""
    suspect: tuple[str, ...] = ()
    """Classes that the cell may be although the classifier did not name them."""
    probabilities: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Probability per class; empty where an older version of the software counted the cell."""

    @property
    def is_missed(self) -> bool:
        """The device did not find it: a person did."""
        return not self.cell_class


@dataclass(frozen=True, slots=True)
class MissedCell:
    """A white cell that the device did not find, as a person points at it."""

    field: int
    """The counted field that shows it, from 1."""
    x: int
    """Column of its middle, pixels of that field."""
    y: int
    """Row of its middle, pixels of that field."""
    name: str
    """What the person calls it."""

    @property
    def place(self) -> str:
        """ "missed/FIELD/X/Y", as reports say where it lies."""
        return f"missed/{self.field}/{self.x}/{self.y}"


@dataclass(frozen=True, slots=True)
class CellPicture:
    """A white cell and a little of what is around it."""

    webp: bytes
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    um_per_px: float
    outline: tuple[tuple[float, float], ...] = ()
    """Corners of the cell's outline, (x, y) in pixels of the picture; empty where they are not known."""
