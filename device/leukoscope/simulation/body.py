"""What every simulated cell offers: its outlines, and its optical density on the slide's pixel grid."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leukoscope.simulation.shapes import Points
from leukoscope.simulation.stain import Stain


@dataclass(frozen=True, slots=True)
class Patch:
    """Optical density of one cell, placed on the slide's pixel grid."""

    row: int
    col: int
    """Of the patch's first pixel; pixel (r, c) of the slide has its middle at (c + 0.5, r + 0.5)."""
    density: NDArray[np.float16]
    """Shape (rows, cols, 3): red, green, blue."""


class Body(Protocol):
    """A cell apart from where it lies."""

    @property
    def shape(self) -> str:
        """What it looks like, in a word: "round", "oval", "crenated"…; for white cells their class."""

    @property
    def radius_um(self) -> float:
        """Of the circle around everything that is drawn."""

    @property
    def outline_um(self) -> Points:
        """Polygon around the cell, micrometres from its middle."""

    @property
    def nucleus_um(self) -> tuple[Points, ...]:
        """Polygons around the nucleus; none for red cells and platelets."""

    def draw(self, x_um: float, y_um: float, um_per_px: float, stain: Stain) -> Patch:
        """Its optical density when its middle lies at (x_um, y_um)."""
