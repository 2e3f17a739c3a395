"""A snake draws the nucleus, Zack's threshold the cytoplasm (Sadeghian et al. 2009)."""

import numpy as np
from skimage.draw import polygon2mask
from skimage.filters import gaussian, threshold_triangle
from skimage.measure import label, regionprops
from skimage.morphology import convex_hull_image
from skimage.segmentation import active_contour

from methods.device import Pixels
from methods.kinds import Flags, Parts, Segmentation
from methods.parts import nuclei, soft_green, white_around

POINTS = 80
MARGIN_UM = 1.0


def find(pixels: Pixels, um_per_px: float, share: float) -> Parts:
    """Zack's threshold parts glass from cells; the darkest of these are where snakes start.

    Args:
        pixels: RGB.
        um_per_px: their scale.
        share: of the way from the darkest level to Zack's threshold, below which nuclei are looked for.
    """
    green = soft_green(pixels, um_per_px)
    zack = threshold_triangle(green)
    low = float(np.quantile(green, 0.001))
    foreground = green < zack
    pieces = label(nuclei(green < low + share * (zack - low), foreground, pixels, um_per_px))
    nucleus = np.zeros(green.shape, np.bool_)
    for one in regionprops(pieces):
        margin = int(2 * MARGIN_UM / um_per_px) + 1
        top, left, bottom, right = one.bbox
        around = np.s_[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]
        nucleus[around] |= _by_snake(pieces[around] == one.label, um_per_px)
    return Parts(white_around(nucleus, foreground, um_per_px), nucleus)


def _by_snake(rough: Flags, um_per_px: float) -> Flags:
    """The snake shrinks from a circle around the piece onto its edge."""
    rows, cols = np.nonzero(convex_hull_image(rough))
    radius = np.sqrt(len(rows) / np.pi) + MARGIN_UM / um_per_px
    angles = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    start = np.array([rows.mean(), cols.mean()]) + radius * np.stack([np.sin(angles), np.cos(angles)], axis=1)
    start = np.clip(start, 0, np.array(rough.shape) - 1)
    inside = gaussian(rough.astype(float), 0.3 / um_per_px)
    snake = active_contour(inside, start, alpha=0.01, beta=0.5, gamma=0.05, max_num_iter=100, convergence=0.3)
    drawn = np.asarray(polygon2mask(rough.shape, snake), dtype=np.bool_)
    return drawn if drawn.any() else rough


METHOD = Segmentation("snake and Zack's threshold", "Sadeghian et al. 2009", find, {"share": (0.2, 0.35, 0.5)})
