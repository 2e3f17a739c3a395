"""Grey levels, a global threshold, filled holes, pieces counted by their size (Kimbahune & Uke 2011)."""

from skimage.filters import threshold_otsu
from skimage.measure import label

from methods.device import Pixels
from methods.kinds import Parts, Segmentation
from methods.parts import NUCLEUS_UM2, large, nuclei, red_boxes, soft_grey, white_around


def find(pixels: Pixels, um_per_px: float, darker: float) -> Parts:
    """One threshold for all cells, one for nuclei; touching cells stay one piece, as in the paper.

    Args:
        pixels: RGB.
        um_per_px: their scale.
        darker: nuclei are darker than this share of the threshold of cells.
    """
    grey = soft_grey(pixels, um_per_px)
    limit = float(threshold_otsu(grey))
    foreground = large(grey < limit, NUCLEUS_UM2, um_per_px)
    nucleus = nuclei(grey < darker * limit, foreground, pixels, um_per_px)
    white = white_around(nucleus, foreground, um_per_px)
    return Parts(white, nucleus, red_boxes(label(foreground), um_per_px, white))


METHOD = Segmentation("threshold, fill, count", "Kimbahune & Uke 2011", find, {"darker": (0.6, 0.7, 0.8)})
