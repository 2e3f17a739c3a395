"""White cells and platelets are masked out by colour, a watershed parts the red cells (Sharif et al. 2012)."""

import numpy as np
from skimage.color import rgb2ycbcr
from skimage.filters import gaussian, threshold_otsu
from skimage.morphology import dilation, disk

from methods.device import Pixels
from methods.kinds import Parts, Segmentation
from methods.parts import NUCLEUS_UM2, apart, large, nuclei, red_boxes, soft_green, white_around


def find(pixels: Pixels, um_per_px: float, spacing_um: float) -> Parts:
    """Blue chroma of YCbCr tells nuclei and platelets from red cells.

    Args:
        pixels: RGB.
        um_per_px: their scale.
        spacing_um: least distance of two red cells' middles.
    """
    blue = np.asarray(gaussian(rgb2ycbcr(pixels)[..., 1], 0.2 / um_per_px))
    green = soft_green(pixels, um_per_px)
    foreground = large(green < threshold_otsu(green), NUCLEUS_UM2, um_per_px)
    violet = (blue > threshold_otsu(blue)) & (green < np.median(green[foreground]) if foreground.any() else False)
    nucleus = nuclei(violet, foreground, pixels, um_per_px)
    white = white_around(nucleus, foreground, um_per_px)
    mask = white | np.asarray(dilation(violet, disk(1)))
    return Parts(white, nucleus, red_boxes(apart(foreground & ~mask, um_per_px, spacing_um), um_per_px))


METHOD = Segmentation("masking and watershed", "Sharif, Miswan et al. 2012", find, {"spacing_um": (1.5, 2.0, 3.0)})
