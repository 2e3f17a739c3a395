"""The valley of the histogram parts leukaemic nuclei from the rest (Dimayuga et al. 2010)."""

from skimage.filters import threshold_minimum, threshold_otsu

from methods.device import Pixels
from methods.kinds import Parts, Segmentation
from methods.parts import NUCLEUS_UM2, large, soft_green


def find(pixels: Pixels, um_per_px: float, share: float) -> Parts:
    """The green histogram's valley, or a share of Otsu's threshold where it has none.

    Args:
        pixels: RGB.
        um_per_px: their scale.
        share: of the threshold that is used.
    """
    green = soft_green(pixels, um_per_px)
    try:
        limit = float(threshold_minimum(green))
    except RuntimeError:  # a histogram that never becomes two-peaked
        limit = float(threshold_otsu(green))
    return Parts(nucleus=large(green < share * limit, NUCLEUS_UM2, um_per_px))


METHOD = Segmentation("valley of the histogram", "Dimayuga et al. 2010", find, {"share": (0.8, 0.9, 1.0, 1.1)})
