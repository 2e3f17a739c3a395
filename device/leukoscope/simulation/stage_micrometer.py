"""A simulated stage micrometer: parallel lines of chrome on glass, at any angle, exact below a pixel."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from leukoscope.schema import FrozenModel


class RulingSettings(FrozenModel):
    """Lines on a glass slide, as on a stage micrometer of 1 mm in 100 parts."""

    spacing_um: float = Field(default=10.0, ge=1.0, le=1000.0)
    """From the middle of a line to the middle of the next, micrometres."""
    line_um: float = Field(default=2.0, gt=0.1, le=100.0)
    """Width of a line, micrometres."""
    angle_deg: float = Field(default=3.0, ge=-180.0, le=180.0)
    """Direction across the lines, degrees from the picture's columns: 0 is upright lines."""
    offset_um: float = 0.0
    """Of a line's middle from the slide's origin, micrometres."""
    density: float = Field(default=1.6, gt=0.0, le=4.0)
    """Optical density (natural logarithm) of a line."""


class Ruling:
    """Optical density of the lines anywhere on the slide."""

    EDGE_UM = 0.1
    """Softness of a line's edge: without it lines at an angle would have stairs."""

    def __init__(self, settings: RulingSettings) -> None:
        self.settings = settings

    def density(self, x_um: NDArray[np.float64], y_um: NDArray[np.float64]) -> NDArray[np.float32]:
        """Optical density at each place of the slide; the shape is that of the coordinates, broadcast."""
        settings = self.settings
        angle = np.deg2rad(settings.angle_deg)
        across = x_um * np.cos(angle) + y_um * np.sin(angle) - settings.offset_um
        half = settings.spacing_um / 2
        from_line = np.mod(across + half, settings.spacing_um) - half
        reach = settings.line_um / 2
        covered = (np.tanh((from_line + reach) / self.EDGE_UM) - np.tanh((from_line - reach) / self.EDGE_UM)) / 2
        return np.asarray(settings.density * covered, dtype=np.float32)
