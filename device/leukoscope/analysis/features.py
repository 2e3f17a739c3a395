"""Measures cells: numbers with units that stand beside a cell's class and do not depend on it.

Every white cell's nucleus and cytoplasm are measured beside its outline; a number that cannot be measured (the
cytoplasm of a cell that is all nucleus, everything of a cell that others hide) is left out. Of a cell cut by the
picture's edge only what shows is measured.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leukoscope.analysis.morphology import perimeter_px, shape_of
from leukoscope.analysis.nucleus import count_lobes
from leukoscope.analysis.staining import Density, density_around, granularity, mean_density
from leukoscope.specimen.cell import CellInstance
from leukoscope.specimen.frame import Micrograph

Features = Mapping[str, float]
"""Value by name; the name ends in the unit, or has none for a plain ratio or number."""


def measure_features(micrograph: Micrograph, cells: Sequence[CellInstance]) -> tuple[Features, ...]:
    """The features of each cell of a field, in their order.

    `area_um2`, `perimeter_um`, `circularity`, `eccentricity`, `solidity` and `equivalent_diameter_um` for every cell;
    for a white cell also `nucleus_area_um2`, `nc_ratio`, `nucleus_lobes`, `nucleus_od_*`, `cytoplasm_od_*` (decadic
    optical density against the glass nearby, for red, green and blue light) and `cytoplasm_granularity`.

    Args:
        micrograph: the field.
        cells: all its cells, because what belongs to none of them is glass.
    """
    um_per_px = micrograph.um_per_px
    glass: NDArray[np.bool_] | None = None
    measured: list[dict[str, float]] = []
    for cell in cells:
        if not cell.outline.any():
            measured.append({})
            continue
        features = outline_features(cell.outline, um_per_px)
        if cell.nucleus is not None:
            if glass is None:
                glass = _glass(micrograph, cells)
            density = density_around(micrograph, cell, glass)
            features |= nucleus_features(cell.outline, cell.nucleus, um_per_px)
            features |= stain_features(density, cell.outline, cell.nucleus, um_per_px)
        measured.append(features)
    return tuple(measured)


def outline_features(outline: NDArray[np.bool_], um_per_px: float) -> dict[str, float]:
    """Size and form of an outline, shape (rows, cols).

    Circularity is 4 pi A / P^2 (Cox 1927): 1 for a circle, less for any other form, and on a pixel grid up to some
    hundredths above 1 for small circles. Eccentricity is that of the ellipse with the same second moments:
    0 for a circle, towards 1 the longer it is.

    Raises:
        ValueError: the outline is empty.
    """
    shape = shape_of(outline)
    area_px = int(np.count_nonzero(outline))
    perimeter = perimeter_px(outline)
    return {
        "area_um2": area_px * um_per_px**2,
        "perimeter_um": perimeter * um_per_px,
        "circularity": 4 * math.pi * area_px / perimeter**2,
        "eccentricity": math.sqrt(max(0.0, 1 - shape.axis_ratio**2)),
        "solidity": shape.solidity,
        "equivalent_diameter_um": 2 * math.sqrt(area_px / math.pi) * um_per_px,
    }


def nucleus_features(outline: NDArray[np.bool_], nucleus: NDArray[np.bool_], um_per_px: float) -> dict[str, float]:
    """Size of a nucleus, beside its cytoplasm, and its lobes; both of shape (rows, cols).

    `nc_ratio` is the area of the nucleus over the area of the cytoplasm, the convention of morphometry; the share of
    the whole cell is nc_ratio / (1 + nc_ratio).
    """
    nucleus_px, cytoplasm_px = int(np.count_nonzero(nucleus)), int(np.count_nonzero(outline & ~nucleus))
    features: dict[str, float] = {"nucleus_area_um2": nucleus_px * um_per_px**2}
    if cytoplasm_px:
        features["nc_ratio"] = nucleus_px / cytoplasm_px
    features["nucleus_lobes"] = count_lobes(nucleus, um_per_px)
    return features


def stain_features(
    density: Density, outline: NDArray[np.bool_], nucleus: NDArray[np.bool_], um_per_px: float
) -> dict[str, float]:
    """Colour of nucleus and cytoplasm, and how granular the cytoplasm is."""
    cytoplasm = outline & ~nucleus
    features: dict[str, float] = {}
    for name, part in (("nucleus", nucleus), ("cytoplasm", cytoplasm)):
        colour = mean_density(density, part, um_per_px)
        if colour is not None:
            features |= {f"{name}_od_{light}": od for light, od in zip(("red", "green", "blue"), colour, strict=True)}
    grain = granularity(density, cytoplasm, um_per_px)
    if grain is not None:
        features["cytoplasm_granularity"] = grain
    return features


def _glass(micrograph: Micrograph, cells: Sequence[CellInstance]) -> NDArray[np.bool_]:
    """Which pixels belong to no cell."""
    glass = np.ones(micrograph.pixels.shape[:2], dtype=np.bool_)
    for cell in cells:
        box = cell.box
        glass[box.row : box.row_end, box.col : box.col_end] &= ~cell.outline
    return glass
