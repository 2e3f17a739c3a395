"""Brings in the device's own simulated microscope, which lives beside the recipes in this repository."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "device"))

from leukoscope.cameras.simulated import SimulatedCamera, SimulatedCameraSettings
from leukoscope.simulation.microscope import MicroscopeSettings
from leukoscope.simulation.smear import SmearSettings
from leukoscope.simulation.white_classes import WHITE_CLASSES

__all__ = ["UM_PER_PX", "SimulatedCamera", "cameras"]

UM_PER_PX = MicroscopeSettings().um_per_px
FIRST_SEED = 1000
"""Far from the seeds that the evaluation's simulated slides have."""
WHITE_PER_1000_RBC = 60.0
RED_PER_1000_UM2 = (8.0, 11.0, 14.0, 17.0)
"""From sparse to crowded."""


def cameras(count: int) -> Iterator[SimulatedCamera]:
    """`count` cameras on different slides; red cells from sparse to crowded, every white class alike often."""
    for index in range(count):
        smear = SmearSettings(
            seed=FIRST_SEED + index,
            red_cells_per_1000_um2=RED_PER_1000_UM2[index % len(RED_PER_1000_UM2)],
            white_per_1000_rbc=WHITE_PER_1000_RBC,
            differential=dict.fromkeys(WHITE_CLASSES, 1.0),
        )
        yield SimulatedCameraSettings(smear=smear).open()
