"""Hough circles on the edges of the cells' mask, for dense fields (Cao)."""

import numpy as np
from skimage.filters import threshold_otsu
from skimage.segmentation import find_boundaries

from methods.device import Pixels
from methods.kinds import Parts, Segmentation
from methods.parts import NUCLEUS_UM2, large, soft_green
from methods.segmentation.circular_hough import circles


def find(pixels: Pixels, um_per_px: float, strength: float) -> Parts:
    """Only borders of the foreground vote, so that texture inside cells does not; circles may overlap more."""
    green = soft_green(pixels, um_per_px)
    foreground = large(green < threshold_otsu(green), NUCLEUS_UM2, um_per_px)
    edges = np.asarray(find_boundaries(foreground, mode="inner"))
    return Parts(red=circles(edges, um_per_px, strength, apart_um=3.2))


METHOD = Segmentation("Hough on dense fields", "Cao", find, {"strength": (0.15, 0.25, 0.35)})
