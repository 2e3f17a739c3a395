"""How strongly a cell is stained, and how unevenly."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.specimen.cell import Box, CellInstance
from leukoscope.specimen.frame import Micrograph

Density = NDArray[np.float32]
"""Decadic optical density per pixel and channel, shape (rows, cols, 3): log10 of empty glass over what passed."""

GLASS_WITHIN_UM = 12.0
"""How far around a cell empty glass is looked for: near enough to share its lamp and its mounting."""
GLASS_STEP_UM = 0.3
"""Glass is looked at every so far: more pixels would repeat what these say."""
LEAST_GLASS_UM2 = 4.0
"""With less glass in sight, the brightest pixels of the neighbourhood stand in."""
GLASS_PERCENTILE = 98.0
EDGE_UM = 0.3
"""Strip along edges that belongs to neither side: the objective and the sensor mix them there."""
LEAST_AREA_UM2 = 1.0
"""A smaller part has no colour of its own."""
FINE_UM, COARSE_UM = 0.15, 0.5
"""Standard deviations of the two Gaussians between which a granule shows: finer is noise, coarser is shading."""


def density_around(micrograph: Micrograph, cell: CellInstance, glass: NDArray[np.bool_]) -> Density:
    """Optical density of a cell's box against the empty glass near it; above about 2, where 8 bits end, a lower bound.

    Args:
        micrograph: the field.
        cell: one of its cells.
        glass: which pixels of the field belong to no cell, shape of the field.
    """
    reach = math.ceil(GLASS_WITHIN_UM / micrograph.um_per_px)
    step = max(1, math.floor(GLASS_STEP_UM / micrograph.um_per_px))
    rows = slice(max(0, cell.box.row - reach), cell.box.row_end + reach, step)
    cols = slice(max(0, cell.box.col - reach), cell.box.col_end + reach, step)
    around, empty = micrograph.pixels[rows, cols], glass[rows, cols]
    if np.count_nonzero(empty) * (step * micrograph.um_per_px) ** 2 >= LEAST_GLASS_UM2:
        clear = np.median(around[empty], axis=0)
    else:
        clear = np.percentile(around.reshape(-1, 3), GLASS_PERCENTILE, axis=0)
    # Half a grey level stands for black: a density without bound would outweigh every other pixel.
    levels = np.log10(np.maximum(np.arange(256), 0.5)).astype(np.float32)
    passed = levels[_cut(micrograph.pixels, cell.box)]
    return np.asarray(np.log10(np.maximum(clear, 1.0)).astype(np.float32) - passed)


def mean_density(density: Density, part: NDArray[np.bool_], um_per_px: float) -> tuple[float, float, float] | None:
    """Mean optical density (red, green, blue) of a part away from its edges; None where it is too small."""
    core = _core(part, um_per_px)
    if np.count_nonzero(core) * um_per_px**2 < LEAST_AREA_UM2:
        return None
    red, green, blue = density[core].mean(axis=0, dtype=np.float64)
    return float(red), float(green), float(blue)


def granularity(density: Density, part: NDArray[np.bool_], um_per_px: float) -> float | None:
    """Contrast of structures of about half a micrometre in a part; None where it is too small or not stained.

    Standard deviation of the green density (where Romanowsky granules absorb most) between the two Gaussian
    scales FINE_UM and COARSE_UM, over the mean density: a coefficient of variation, free of the stain's strength.
    Both blurs are weighted by the part itself (normalised convolution, Knutsson & Westin 1993), so that the dark
    nucleus beside it does not count.
    """
    core = _core(part, um_per_px)
    if np.count_nonzero(core) * um_per_px**2 < LEAST_AREA_UM2:
        return None
    green = np.ascontiguousarray(density[..., 1])
    weight = core.astype(np.float32)
    fine, coarse = (_blurred_within(green, weight, sigma / um_per_px) for sigma in (FINE_UM, COARSE_UM))
    mean = float(green[core].mean())
    return float((fine - coarse)[core].std()) / mean if mean > 0 else None


def _core(part: NDArray[np.bool_], um_per_px: float) -> NDArray[np.bool_]:
    inward = cv2.distanceTransform(np.pad(part.astype(np.uint8), 1), cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    return np.asarray(inward * um_per_px > EDGE_UM, dtype=np.bool_)


def _blurred_within(plane: NDArray[np.float32], weight: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    total = cv2.GaussianBlur(weight, (0, 0), sigma_px)
    return np.asarray(cv2.GaussianBlur(plane * weight, (0, 0), sigma_px) / np.maximum(total, 1e-6), dtype=np.float32)


def _cut(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    return pixels[box.row : box.row_end, box.col : box.col_end]
