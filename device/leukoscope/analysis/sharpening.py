"""Moves a network's soft edge to where the picture's colours part."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.specimen.frame import Pixels

CERTAIN = 0.8
"""Above this share a pixel teaches what the inside looks like; below the complement, the outside."""
LEAST_TAUGHT_UM2 = 2.0
"""A side that shows less than this teaches nothing."""
TAUGHT_PX = 1500
"""About as many pixels, evenly spread, teach as well as all of them."""
MOST_TOLD = 6.0
"""Log-likelihood ratio at which colour is cut off: no pixel's colour is better evidence than this."""
BLUR_UM = 0.12
"""Blur against the sensor's noise, about half of what a 100x objective resolves."""
_FAINTEST = 4.0
"""Added to grey levels, so that noise in black pixels does not become a large density."""
_DENSITY = -np.log((np.arange(256, dtype=np.float32) + _FAINTEST) / (255 + _FAINTEST))
_NEVER_SINGULAR = 1e-3 * np.eye(3)


class Edge(NamedTuple):
    """Where an edge is drawn between two parts of a picture."""

    limit: float
    """The network's share from which a pixel is inside, 0-1, when colour says nothing."""
    colour_weight: float
    """How much colour counts beside the network, 0-1; below 1, because neighbouring pixels repeat each other."""


def stain_density(pixels: Pixels, um_per_px: float) -> NDArray[np.float32]:
    """Natural optical density of a lightly blurred picture, up to a constant; shape (rows, cols, 3)."""
    blurred = cv2.GaussianBlur(np.ascontiguousarray(pixels), (0, 0), max(BLUR_UM / um_per_px, 0.3))
    return np.asarray(cv2.LUT(blurred, _DENSITY), dtype=np.float32)


def part(
    share: NDArray[np.float32],
    density: NDArray[np.float32],
    edge: Edge,
    um_per_px: float,
    among: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Which pixels are inside, by the network and by colour.

    The pixels the network is certain of give a normal distribution of stain density to each side (quadratic
    discriminant analysis); each doubtful pixel's log-likelihood ratio is added to the network's log-odds.

    Args:
        share: the network's probability of being inside, shape (rows, cols), 0-1.
        density: optical density at the same pixels, shape (rows, cols, 3).
        edge: where to draw it.
        um_per_px: the picture's scale.
        among: the only pixels to consider; all of them when None.
    """
    odds = _log_odds(share) - _log_odds(np.float32(edge.limit))
    within = np.ones(share.shape, dtype=np.bool_) if among is None else among
    inner, outer = density[within & (share > CERTAIN)], density[within & (share < 1 - CERTAIN)]
    if min(len(inner), len(outer)) * um_per_px**2 >= LEAST_TAUGHT_UM2:
        inner, outer = _some(inner), _some(outer)
        doubtful = within & (np.abs(odds) < edge.colour_weight * MOST_TOLD)
        colours = density[doubtful]
        told = _log_likelihood(colours, inner) - _log_likelihood(colours, outer)
        odds[doubtful] += edge.colour_weight * np.clip(told, -MOST_TOLD, MOST_TOLD)
    return np.asarray(within & (odds > 0), dtype=np.bool_)


def _some(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    return colours[:: 1 + len(colours) // TAUGHT_PX]


def _log_odds(share: NDArray[np.float32] | np.float32) -> NDArray[np.float32]:
    bounded = np.clip(share, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(bounded / (1 - bounded)), dtype=np.float32)


def _log_likelihood(colours: NDArray[np.float32], taught: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of each colour (n, 3) under the normal distribution of the colours taught (m, 3), up to a constant."""
    covariance = np.cov(taught.T) + _NEVER_SINGULAR
    away = colours - taught.mean(axis=0)
    squared = ((away @ np.linalg.inv(covariance)) * away).sum(axis=1)
    return np.asarray(-0.5 * (squared + np.linalg.slogdet(covariance)[1]), dtype=np.float32)
