"""A cell that was found, and a cell that was named."""

# Annotations alone name numpy here, and the review page reads cells without it: a seventh of its memory.
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNSURE = "unsure"
"""The class of a cell the classifier would not name; it counts as a class of its own."""


class Decision(NamedTuple):
    """What a cell is called, by the probabilities of the classes."""

    cell_class: str
    """A class key of the classifier's bundle, or UNSURE."""
    confidence: float
    """Probability of the likeliest class, 0-1."""
    suspect: tuple[str, ...]
    """See `ClassifiedCell.suspect`."""


class CellKind(StrEnum):
    """What the segmenter tells apart."""

    RBC = "rbc"
    WBC = "wbc"
    PLATELET = "platelet"


@dataclass(frozen=True, slots=True)
class Box:
    """A half-open rectangle of whole pixels."""

    row: int
    col: int
    row_end: int
    col_end: int

    @property
    def height(self) -> int:
        """Rows covered."""
        return self.row_end - self.row

    @property
    def width(self) -> int:
        """Columns covered."""
        return self.col_end - self.col

    @property
    def centre(self) -> tuple[float, float]:
        """(row, col) of the middle, in pixels."""
        return (self.row + self.row_end) / 2, (self.col + self.col_end) / 2

    def as_xyxy(self) -> tuple[int, int, int, int]:
        """[xmin, ymin, xmax, ymax], the order used in JSON and on the wire."""
        return self.col, self.row, self.col_end, self.row_end


@dataclass(frozen=True, slots=True)
class CellInstance:
    """A cell found in a micrograph, not yet named."""

    kind: CellKind
    confidence: float
    """The segmenter's score, 0-1."""
    box: Box
    """In pixels of the micrograph."""
    outline: NDArray[np.bool_]
    """Which pixels of the box are cell; shape (box.height, box.width). No pixel belongs to two cells, so of a cell that
    others hide there may be none."""
    nucleus: NDArray[np.bool_] | None
    """Which of them are nucleus; same shape. None for red cells and platelets, which have none."""
    area_um2: float
    """Area of the outline, square micrometres."""
    diameter_um: float
    """Diameter of the circle of the same area, micrometres."""
    touches_border: bool
    """The cell is cut by the picture's edge."""


@dataclass(frozen=True, slots=True)
class ClassifiedCell:
    """A cell with a name."""

    instance: CellInstance
    cell_class: str
    """A class key of the classifier's bundle, UNSURE, or the kind for red cells and platelets."""
    confidence: float
    """Probability of the class, 0-1; for kinds that are not classified the segmenter's score."""
    probabilities: Mapping[str, float]
    """Probability per class key; empty for kinds that are not classified."""
    suspect: tuple[str, ...] = ()
    """Classes that the cell may be although it has another name, or none: a person must look."""
