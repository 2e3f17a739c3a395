"""Red cells from closed Canny edges, single ones by their size (Poomcokrak & Neatpisarnvanit 2008)."""

import numpy as np
from scipy.ndimage import binary_fill_holes
from skimage.feature import canny
from skimage.measure import label
from skimage.morphology import closing, disk, opening

from methods.device import Pixels
from methods.kinds import Parts, Segmentation
from methods.parts import red_boxes, soft_green


def find(pixels: Pixels, um_per_px: float, sigma_um: float) -> Parts:
    """Edges are closed and filled; the paper's small network on single cells is a limit on their size here."""
    edges = canny(soft_green(pixels, um_per_px, 0.0), sigma=sigma_um / um_per_px)
    closed = closing(edges, disk(max(1, round(0.4 / um_per_px))))
    filled = opening(np.asarray(binary_fill_holes(closed)), disk(max(1, round(0.5 / um_per_px))))
    return Parts(red=red_boxes(label(filled), um_per_px))


METHOD = Segmentation("Canny edges, filled", "Poomcokrak & Neatpisarnvanit 2008", find, {"sigma_um": (0.35, 0.5, 0.7)})
