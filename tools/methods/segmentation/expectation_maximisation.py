"""Pixels in Lab as a mixture of normal distributions (Hiremath et al. 2010)."""

import numpy as np
from skimage.color import rgb2lab
from skimage.filters import gaussian
from sklearn.mixture import GaussianMixture

from methods.device import Pixels
from methods.kinds import Parts, Segmentation
from methods.parts import NUCLEUS_UM2, apart, large, nuclei, red_boxes, white_around

LEARNT_PX = 3000


def find(pixels: Pixels, um_per_px: float, clusters: float) -> Parts:
    """The darkest component is nucleus, the lightest one glass, what lies between is cell."""
    lab = np.asarray(gaussian(rgb2lab(pixels), 0.2 / um_per_px, channel_axis=-1)).reshape(-1, 3)
    step = max(1, len(lab) // LEARNT_PX)
    model = GaussianMixture(int(clusters), random_state=0, max_iter=50, reg_covar=1e-2).fit(lab[::step])
    rank = np.argsort(np.argsort(model.means_[:, 0]))[model.predict(lab)].reshape(pixels.shape[:2])
    foreground = large(rank < int(clusters) - 1, NUCLEUS_UM2, um_per_px)
    nucleus = nuclei(rank == 0, foreground, pixels, um_per_px)
    white = white_around(nucleus, foreground, um_per_px)
    return Parts(white, nucleus, red_boxes(apart(foreground, um_per_px), um_per_px, white))


METHOD = Segmentation(
    "expectation maximisation in Lab", "Hiremath, Bannigidad & Geeta 2010", find, {"clusters": (3, 4)}
)
