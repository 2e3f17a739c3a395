"""Grey morphology: what an opening as wide as a red cell leaves dark is a nucleus (Yujie)."""

import numpy as np
from skimage.filters import threshold_otsu
from skimage.morphology import closing, disk, opening, reconstruction

from methods.device import Pixels
from methods.kinds import Parts, Segmentation
from methods.parts import NUCLEUS_UM2, apart, large, nuclei, red_boxes, soft_green, white_around


def find(pixels: Pixels, um_per_px: float, radius_um: float) -> Parts:
    """Closing by reconstruction removes granules and platelets; Otsu twice parts glass, cell and nucleus."""
    green = soft_green(pixels, um_per_px)
    footprint = disk(max(1, round(radius_um / um_per_px)))
    closed = closing(green, footprint)
    smooth = np.asarray(reconstruction(closed, green, method="erosion"))
    foreground = smooth < threshold_otsu(smooth)
    dark = foreground & (smooth < threshold_otsu(smooth[foreground])) if foreground.any() else foreground
    foreground = large(foreground, NUCLEUS_UM2, um_per_px)
    nucleus = nuclei(np.asarray(opening(dark, footprint)), foreground, pixels, um_per_px)
    white = white_around(nucleus, foreground, um_per_px)
    return Parts(white, nucleus, red_boxes(apart(foreground, um_per_px), um_per_px, white))


METHOD = Segmentation("morphology", "Yujie", find, {"radius_um": (0.3, 0.4, 0.8)})
