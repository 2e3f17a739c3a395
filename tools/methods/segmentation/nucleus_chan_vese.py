"""Nuclei of leukaemic cells before their features are measured: the segmenting half of Kasmin et al. 2012."""

import numpy as np
from skimage.color import rgb2hsv
from skimage.filters import gaussian, threshold_otsu
from skimage.morphology import disk, opening
from skimage.segmentation import morphological_chan_vese

from methods.device import Pixels
from methods.kinds import Parts, Segmentation
from methods.parts import NUCLEUS_UM2, large


def find(pixels: Pixels, um_per_px: float, least_saturation: float) -> Parts:
    """The saturated pieces of the picture, their outline settled by an active contour without edges.

    Args:
        pixels: RGB.
        um_per_px: their scale.
        least_saturation: share of Otsu's threshold of the saturation that a nucleus has at least.
    """
    saturation = np.asarray(gaussian(rgb2hsv(pixels)[..., 1], 0.2 / um_per_px))
    rough = saturation > least_saturation * threshold_otsu(saturation)
    settled = morphological_chan_vese(saturation, 4, init_level_set=rough, smoothing=1)
    # The level set may end inside out.
    inside = np.asarray(settled, dtype=np.bool_)
    if inside.any() and not inside.all() and saturation[inside].mean() < saturation[~inside].mean():
        inside = ~inside
    return Parts(nucleus=large(np.asarray(opening(inside, disk(2))), NUCLEUS_UM2, um_per_px))


METHOD = Segmentation(
    "saturation and active contour", "Kasmin, Prabuwono & Abdullah 2012", find, {"least_saturation": (0.8, 1.0, 1.2)}
)
