"""The device's own measured features of the white cell in the middle, drawn by the shipped segmenter."""

from collections.abc import Callable

import numpy as np

from methods.device import CellKind, Networks, measure_features
from methods.kinds import FeatureSet, Matrix, Pictures
from methods.micrographs import micrograph_from

UM_PER_PX = 0.15
NAMES = (
    "area_um2",
    "perimeter_um",
    "circularity",
    "eccentricity",
    "solidity",
    "equivalent_diameter_um",
    "nucleus_area_um2",
    "nc_ratio",
    "nucleus_lobes",
    "nucleus_od_red",
    "nucleus_od_green",
    "nucleus_od_blue",
    "cytoplasm_od_red",
    "cytoplasm_od_green",
    "cytoplasm_od_blue",
    "cytoplasm_granularity",
)


def make(unlabelled: Pictures, networks: Networks) -> Callable[[Pictures], Matrix]:
    """Nothing has to be learnt; what cannot be measured, or belongs to no found cell, is 0."""
    segmenter = networks.segmenter

    def measure(pictures: Pictures) -> Matrix:
        rows = np.zeros((len(pictures), len(NAMES)), dtype=np.float32)
        for row, picture in zip(rows, pictures, strict=True):
            micrograph = micrograph_from(picture, UM_PER_PX)
            cells = segmenter.find_cells(micrograph)
            middle = np.array(picture.shape[:2]) / 2
            near = [
                (float(np.hypot(*(np.array(cell.box.centre) - middle))), index)
                for index, cell in enumerate(cells)
                if cell.kind is CellKind.WBC
            ]
            if near:
                found = measure_features(micrograph, cells)[min(near)[1]]
                row[:] = [found.get(name, 0.0) for name in NAMES]
        return rows

    return measure


METHOD = FeatureSet("measured features", "device/leukoscope/analysis/features.py", make, networks=True)
