"""Circles in the edges of the picture (Mahmood & Mansor 2012)."""

import numpy as np
from skimage.color import rgb2lab
from skimage.feature import canny
from skimage.transform import hough_circle, hough_circle_peaks

from methods.device import Pixels
from methods.kinds import Flags, Parts, Segmentation
from methods.parts import circle_boxes

RADII_UM = np.arange(2.8, 4.6, 0.3)


def find(pixels: Pixels, um_per_px: float, strength: float) -> Parts:
    """Circles as large as red cells in Canny's edges of the lightness of Lab.

    Args:
        pixels: RGB.
        um_per_px: their scale.
        strength: least share of the best possible circle.
    """
    edges = canny(rgb2lab(pixels)[..., 0] / 100.0, sigma=0.3 / um_per_px)
    return Parts(red=circles(np.asarray(edges), um_per_px, strength, apart_um=4.0))


def circles(edges: Flags, um_per_px: float, strength: float, apart_um: float) -> list[tuple[int, int, int, int]]:
    """Boxes of the circles that the edges vote for, at least so far from each other."""
    radii = np.unique(np.rint(RADII_UM / um_per_px).astype(int))
    votes = hough_circle(edges, radii)
    gap = max(1, int(apart_um / um_per_px))
    _, cols, rows, found = hough_circle_peaks(votes, radii, gap, gap, threshold=strength, total_num_peaks=400)
    order = np.arange(len(rows))
    centres = np.stack([rows, cols], axis=1)
    kept: list[int] = []
    for one in order.tolist():  # best first; two radii may peak at one place
        if all(np.hypot(*(centres[one] - centres[other])) >= gap for other in kept):
            kept.append(one)
    return circle_boxes(centres[kept], found[kept], edges.shape)


METHOD = Segmentation("circular Hough", "Mahmood & Mansor 2012", find, {"strength": (0.2, 0.3, 0.4)})
