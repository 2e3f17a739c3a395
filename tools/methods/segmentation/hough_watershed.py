"""Circles are the cores of a watershed over the foreground (Chourasiya & Rani 2014)."""

import numpy as np
from scipy.ndimage import distance_transform_edt
from skimage.feature import canny
from skimage.filters import threshold_otsu
from skimage.segmentation import watershed

from methods.device import Pixels
from methods.kinds import Parts, Segmentation
from methods.parts import NUCLEUS_UM2, large, red_boxes, soft_green
from methods.segmentation.circular_hough import circles


def find(pixels: Pixels, um_per_px: float, strength: float) -> Parts:
    """Hough finds where cells are, the watershed how far each one reaches; strength as in circular Hough."""
    green = soft_green(pixels, um_per_px)
    foreground = large(green < threshold_otsu(green), NUCLEUS_UM2, um_per_px)
    boxes = circles(np.asarray(canny(green, sigma=0.2 / um_per_px)), um_per_px, strength, apart_um=4.0)
    cores = np.zeros(green.shape, np.intp)
    for number, (left, top, right, bottom) in enumerate(boxes, 1):
        cores[(top + bottom) // 2, (left + right) // 2] = number
    cells = watershed(-distance_transform_edt(foreground), cores, mask=foreground)
    return Parts(red=red_boxes(np.asarray(cells, dtype=np.intp), um_per_px))


METHOD = Segmentation("Hough and watershed", "Chourasiya & Rani 2014", find, {"strength": (0.2, 0.3, 0.4)})
