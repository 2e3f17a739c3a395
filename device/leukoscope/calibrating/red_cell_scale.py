"""Cross-check of a scale: red cells must have about the size of red cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leukoscope import __version__
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.bundles.bundle_store import BundleStore
from leukoscope.bundles.startup import find_bundle
from leukoscope.errors import CalibrationError
from leukoscope.inference.bundle import Bundle
from leukoscope.optics.calibration import Calibration
from leukoscope.settings import BenchSettings
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.frame import Frame

EXPECTED_UM = 7.2
"""Diameter of a normal red cell on a dried smear, micrometres."""
MAX_OFF = 0.08
"""Blood with small or large red cells differs too; more than this share asks for another look at the scale."""
MIN_CELLS = 30


@dataclass(frozen=True, slots=True)
class RedCellSize:
    """What red cells measure at a scale."""

    diameter_um: float
    """Median, micrometres."""
    cells: int

    @property
    def off(self) -> float:
        """How far that is from `EXPECTED_UM`, as a share of it."""
        return self.diameter_um / EXPECTED_UM - 1

    @property
    def disagrees(self) -> bool:
        """Whether scale and red cells contradict each other."""
        return abs(self.off) > MAX_OFF


def measure_red_cells(
    frames: Sequence[Frame], calibration: Calibration, settings: BenchSettings, near: Path
) -> RedCellSize:
    """The median diameter of whole red cells on some fields of a smear.

    Raises:
        CalibrationError: too few red cells were found, or the frames are foreign.
        LeukoscopeError: the segmenter is missing, altered, or its engine cannot run it.
    """
    models = settings.models
    found = find_bundle(
        models.segmenter, near, BundleStore(settings.storage.bundles, settings.models.keys), __version__
    )
    bundle = Bundle.read(found.folder)
    segmenter = Segmenter(bundle, models.engine.open(bundle))
    diameters = [
        cell.diameter_um
        for frame in frames
        for cell in segmenter.find_cells(calibration.correct(frame))
        if cell.kind is CellKind.RBC and not cell.touches_border
    ]
    if len(diameters) < MIN_CELLS:
        raise CalibrationError(
            f"expected at least {MIN_CELLS} whole red cells, found {len(diameters)} in {len(frames)} pictures",
            "put a smear under the objective, focus, and go where cells lie side by side",
        )
    return RedCellSize(float(np.median(diameters)), len(diameters))
