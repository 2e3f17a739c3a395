#!/usr/bin/env python3
"""Prints how dark and how coarse the nuclei of simulated lymphocytes and monocytes are beside those of real ones.

tools/compare_textures.py          real cells of normal donors' laboratories and deepapl (LEUKOSCOPE_DATA), train

Of the disc of 5 µm in the middle of each cell: the mean optical density in green against the brightest twentieth of
the window, and the standard deviation of what lies between two Gaussian blurs over that mean; medians over cells.
"""

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from evaluation.tables import data_folder, read_cell, read_crops
from leukoscope.analysis.classifier import window_around
from leukoscope.cameras.simulated import SimulatedCameraSettings
from leukoscope.errors import LeukoscopeError
from leukoscope.simulation.microscope import MicroscopeSettings
from leukoscope.simulation.smear import SmearSettings
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.frame import Pixels

LABORATORIES = ("pbc", "raabin", "krd_wbc", "deepbionet", "deepapl")
CLASSES = ("lymphocyte", "monocyte")
MOST_CELLS = 120
SLIDES, CELLS_OF_SLIDE = 4, 12
FIRST_SEED = 5000
UM_PER_PX, SIDE_PX = 0.15, 128
SIMULATED_UM_PER_PX = 0.127
DISC_UM = 5.0
BLURS_UM = (0.15, 0.3, 0.6, 1.2)


def texture(window: Pixels) -> NDArray[np.float64]:
    """Mean density and relative contrast per band of `BLURS_UM`, for a window of UM_PER_PX, shape (side, side, 3)."""
    green = window[..., 1].astype(np.float32) + 1
    density = -np.log10(green / np.quantile(green, 0.95))
    across = (np.arange(SIDE_PX) + 0.5 - SIDE_PX / 2) * UM_PER_PX
    disc = np.hypot(*np.meshgrid(across, across)) < DISC_UM / 2
    mean = float(density[disc].mean())
    blurred = [cv2.GaussianBlur(density, (0, 0), one / UM_PER_PX) for one in BLURS_UM]
    bands = [float((fine - coarse)[disc].std()) for fine, coarse in pairwise(blurred)]
    return np.array([mean, *(band / mean for band in bands)])


def simulated(cell_class: str) -> Iterator[NDArray[np.float64]]:
    """The textures of a class on a few slides, each with a stain of its own."""
    for seed in range(FIRST_SEED, FIRST_SEED + SLIDES):
        camera = SimulatedCameraSettings(
            smear=SmearSettings(seed=seed, white_per_1000_rbc=120.0, differential={cell_class: 1.0}),
            microscope=MicroscopeSettings(seed=seed, width=640, height=480, um_per_px=SIMULATED_UM_PER_PX),
        ).open()
        found = 0
        while found < CELLS_OF_SLIDE:
            pixels = camera.capture().pixels
            for cell in camera.truth:
                if cell.kind is CellKind.WBC and not cell.touches_border and found < CELLS_OF_SLIDE:
                    step = UM_PER_PX / SIMULATED_UM_PER_PX
                    yield texture(window_around(pixels, cell.box.centre, step, (SIDE_PX, SIDE_PX)))
                    found += 1


def main() -> None:
    """Print the table."""
    data = data_folder()
    if data is None:
        raise typer.BadParameter("no labelled pictures found: set LEUKOSCOPE_DATA to the data folder")
    table = Table("cells of", "n", "density", *(f"{low:g}-{high:g} µm" for low, high in pairwise(BLURS_UM)))
    for cell_class in CLASSES:
        rows = {f"{cell_class}, simulated": list(simulated(cell_class))}
        for laboratory in LABORATORIES:
            crops = [crop for crop in read_crops(data, laboratory, "train") if crop.label == cell_class][:MOST_CELLS]
            windows = []
            for crop in crops:
                pixels = read_cell(crop)
                middle = pixels.shape[0] / 2, pixels.shape[1] / 2
                windows.append(window_around(pixels, middle, UM_PER_PX / crop.um_per_px, (SIDE_PX, SIDE_PX)))
            rows[f"{cell_class}, {laboratory}"] = [texture(window) for window in windows]
        for name, found in rows.items():
            if found:
                table.add_row(name, str(len(found)), *(f"{value:.3f}" for value in np.median(found, axis=0)))
    Console().print(table)


if __name__ == "__main__":
    try:
        typer.run(main)
    except LeukoscopeError as error:
        raise SystemExit(str(error)) from error
