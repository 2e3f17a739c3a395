"""Wavelet smoothing, then fuzzy c-means of grey levels: the segmenting half of Talukdar."""

import numpy as np
import pywt
from skfuzzy.cluster import cmeans, cmeans_predict

from methods.device import Pixels
from methods.kinds import Parts, Segmentation
from methods.parts import NUCLEUS_UM2, apart, large, nuclei, red_boxes, soft_green, white_around

LEARNT_PX = 4000


def find(pixels: Pixels, um_per_px: float, fuzziness: float) -> Parts:
    """The approximation of one wavelet level, three fuzzy sets of levels: nucleus, cell, glass.

    Args:
        pixels: RGB.
        um_per_px: their scale.
        fuzziness: exponent of the memberships.
    """
    green = soft_green(pixels, um_per_px, 0.1)
    smooth = pywt.waverec2([pywt.dwt2(green, "db2")[0], (None, None, None)], "db2")
    smooth = np.asarray(smooth)[: green.shape[0], : green.shape[1]]
    levels = smooth.reshape(1, -1)
    step = max(1, levels.shape[1] // LEARNT_PX)
    centres = cmeans(levels[:, ::step], 3, fuzziness, error=1e-3, maxiter=60, seed=0)[0]
    share = cmeans_predict(levels, centres, fuzziness, error=1e-3, maxiter=1)[0]
    rank = np.argsort(np.argsort(centres[:, 0]))[np.argmax(share, axis=0)].reshape(green.shape)
    foreground = large(rank < 2, NUCLEUS_UM2, um_per_px)
    nucleus = nuclei(rank == 0, foreground, pixels, um_per_px)
    white = white_around(nucleus, foreground, um_per_px)
    return Parts(white, nucleus, red_boxes(apart(foreground, um_per_px), um_per_px, white))


METHOD = Segmentation("wavelet and fuzzy c-means", "Talukdar", find, {"fuzziness": (1.2, 1.5, 2.0)})
