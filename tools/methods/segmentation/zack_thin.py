"""Zack's threshold, clumps parted at their concave points (Berge et al. 2011)."""

import numpy as np
from skimage.filters import threshold_triangle
from skimage.measure import label, regionprops

from methods.device import Pixels
from methods.kinds import Labels, Parts, Segmentation
from methods.parts import NUCLEUS_UM2, apart, large, red_boxes, soft_green


def find(pixels: Pixels, um_per_px: float, solidity: float) -> Parts:
    """Pieces that are convex enough are single cells; the others are parted.

    Args:
        pixels: RGB.
        um_per_px: their scale.
        solidity: area over area of the convex hull from which a piece is one cell.
    """
    green = soft_green(pixels, um_per_px)
    foreground = large(green < threshold_triangle(green), NUCLEUS_UM2, um_per_px)
    pieces = np.asarray(label(foreground), dtype=np.intp)
    parted = apart(foreground, um_per_px)
    cells: Labels = np.where(pieces > 0, parted, 0)
    for one in regionprops(pieces):
        if one.solidity >= solidity:
            cells[tuple(one.coords.T)] = parted.max() + one.label
    return Parts(red=red_boxes(cells, um_per_px))


METHOD = Segmentation(
    "Zack's threshold, concave clumps parted",
    "Berge et al. 2011",
    find,
    {"solidity": (0.88, 0.93, 0.97)},
)
