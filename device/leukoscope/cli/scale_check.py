"""Whether the scale that stored pictures were given can be right: red cells must have about the size of red cells."""

from collections.abc import Iterable

import numpy as np

from leukoscope.calibrating.red_cell_scale import EXPECTED_UM, MAX_OFF, MIN_CELLS
from leukoscope.specimen.cell import CellInstance, CellKind

FEW_CELLS, FAR_OFF = 5, 0.3
"""So few whole red cells are enough to see that a scale is wrong by this share and more."""


class ScaleCheck:
    """Gathers the diameters of whole red cells over all pictures of a run."""

    def __init__(self, um_per_px: float) -> None:
        self._um_per_px = um_per_px
        self._diameters_um: list[float] = []
        self.pictures = 0
        """How many it was given."""

    def add(self, cells: Iterable[CellInstance]) -> None:
        """Take in what was found in a picture."""
        self.pictures += 1
        self._diameters_um += [
            cell.diameter_um for cell in cells if cell.kind is CellKind.RBC and not cell.touches_border
        ]

    def warning(self) -> str | None:
        """What is wrong with the scale in one line, as a report's finding `red_cell_size` says it; None if nothing."""
        cells = len(self._diameters_um)
        if cells < FEW_CELLS:
            return None
        mean_um = float(np.median(self._diameters_um))
        off = abs(mean_um / EXPECTED_UM - 1)
        if off <= (MAX_OFF if cells >= MIN_CELLS else FAR_OFF):
            return None
        kind = "larger" if mean_um > EXPECTED_UM else "smaller"
        return (
            f"warning: {cells} red cells measure {mean_um:.1f} µm at --um-per-px {self._um_per_px:g}, about"
            f" {EXPECTED_UM:.1f} expected: check the scale, or the cells are {kind} than usual"
        )
