"""Nuclei are found in a coarse picture and drawn in the fine one (Preston, multi-resolution)."""

import numpy as np
from skimage.filters import threshold_multiotsu
from skimage.transform import pyramid_reduce, resize

from methods.device import Pixels
from methods.kinds import Parts, Segmentation
from methods.parts import NUCLEUS_UM2, apart, large, nuclei, red_boxes, soft_green, white_around


def find(pixels: Pixels, um_per_px: float, levels: float) -> Parts:
    """Thresholds of the coarse picture, where texture is gone; the fine picture corrects its borders.

    Args:
        pixels: RGB.
        um_per_px: their scale.
        levels: how often the picture is halved.
    """
    fine = soft_green(pixels, um_per_px)
    coarse = np.asarray(pyramid_reduce(fine, downscale=2 ** int(levels)))
    dark, glass = threshold_multiotsu(coarse, classes=3, nbins=64)
    near = np.asarray(resize(coarse, fine.shape, order=1))
    # Where coarse and fine disagree near a border, the fine one is right; far from it the coarse one.
    mixed = np.where(np.abs(near - fine) < 0.25, fine, near)
    foreground = large(mixed < glass, NUCLEUS_UM2, um_per_px)
    nucleus = nuclei((mixed < dark) & (near < (dark + glass) / 2), foreground, pixels, um_per_px)
    white = white_around(nucleus, foreground, um_per_px)
    return Parts(white, nucleus, red_boxes(apart(foreground, um_per_px), um_per_px, white))


METHOD = Segmentation("multi-resolution", "Preston", find, {"levels": (1, 2)})
