"""Nuclei by a fixed level of the equalised and stretched grey picture (Dawood)."""

import numpy as np
from skimage.exposure import equalize_hist, rescale_intensity
from skimage.filters import rank
from skimage.morphology import disk
from skimage.util import img_as_ubyte

from methods.device import Pixels
from methods.kinds import Parts, Segmentation
from methods.parts import NUCLEUS_UM2, large, soft_grey


def find(pixels: Pixels, um_per_px: float, level: float) -> Parts:
    """Added and subtracted stretched and equalised pictures make nuclei stand out; a least filter cleans them.

    Args:
        pixels: RGB.
        um_per_px: their scale.
        level: limit of the combined picture, 0-1.
    """
    grey = soft_grey(pixels, um_per_px)
    stretched, equalised = rescale_intensity(grey, out_range=(0, 1)), equalize_hist(grey)
    both = np.clip(stretched + equalised, 0, 1)
    clean = rank.maximum(img_as_ubyte(both), disk(1)) / 255.0
    return Parts(nucleus=large(clean < level, NUCLEUS_UM2, um_per_px))


METHOD = Segmentation("equalised histogram", "Dawood", find, {"level": (0.35, 0.4, 0.45, 0.5)})
