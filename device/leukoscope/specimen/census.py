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
    """What the classifier called it."""
    confidence: float
    """The classifier's, 0-1."""
    box: tuple[int, int, int, int]
    """[xmin, ymin, xmax, ymax], half-open, in pixels of that field."""
    suspect: tuple[str, ...] = ()
    """Classes that the cell may be although the classifier did not name them."""
    probabilities: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Probability per class; empty where an older version of the software counted the cell."""


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
