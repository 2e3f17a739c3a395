"""Pictures for golden pairs, made by our own simulation: no photograph travels with a bundle."""

import numpy as np
from numpy.typing import NDArray

from leukoscope.inference.bundle import Manifest
from leukoscope.simulation.microscope import MicroscopeSettings, SimulatedMicroscope
from leukoscope.simulation.smear import Smear, SmearSettings
from leukoscope.simulation.stage import Stage
from leukoscope.specimen.cell import CellKind

SLIDE_UM = 500.0
"""Side of the square of slide that is searched for white cells."""
CELLS = 24


def golden_pictures(manifest: Manifest) -> NDArray[np.uint8]:
    """One field for a segmenter, two dozen white cells for a classifier.

    Returns:
        RGB pictures at the bundle's own size and scale, shape (n, rows, cols, 3).
    """
    shape = manifest.input
    settings = MicroscopeSettings(width=shape.cols, height=shape.rows, um_per_px=shape.um_per_px, seed=7)
    smear = Smear(SmearSettings(seed=7, white_per_1000_rbc=20.0))
    stage = Stage(lambda: 0.0)
    microscope = SimulatedMicroscope(smear, stage, settings)
    if manifest.kind == "segmenter":
        places = [(SLIDE_UM / 2, SLIDE_UM / 2)]
    else:
        cells = smear.cells_in(0.0, 0.0, SLIDE_UM, SLIDE_UM)
        places = [(cell.x_um, cell.y_um) for cell in cells if cell.kind is CellKind.WBC][:CELLS]
    pictures = []
    for x_um, y_um in places:
        stage.move_to(x_um, y_um)
        pictures.append(microscope.look()[0])
    return np.stack(pictures)
