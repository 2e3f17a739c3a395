"""Moves a network's soft edge to where the picture's colours part."""

import math
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
    sigma_px = max(BLUR_UM / um_per_px, 0.3)
    # Two standard deviations hold 95 % of a Gaussian: enough against noise, and twice as fast as all of it.
    side = 2 * max(1, round(2 * sigma_px)) + 1
    blurred = cv2.GaussianBlur(np.ascontiguousarray(pixels), (side, side), sigma_px)
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
    inside, surely_in, surely_out = share > edge.limit, share > CERTAIN, share < 1 - CERTAIN
    low, high = _shares_in_doubt(edge)
    doubtful = (share > low) & (share < high)
    if among is not None:
        for flags in (inside, surely_in, surely_out, doubtful):
            np.logical_and(flags, among, out=flags)
    inner, outer = np.flatnonzero(surely_in), np.flatnonzero(surely_out)
    if min(len(inner), len(outer)) * um_per_px**2 >= LEAST_TAUGHT_UM2:
        colours, places = density.reshape(-1, 3), np.flatnonzero(doubtful)
        in_doubt = np.ascontiguousarray(np.take(colours, places, axis=0).T)
        evidence = _log_likelihood(in_doubt, _some(colours, inner)) - _log_likelihood(in_doubt, _some(colours, outer))
        odds = _log_odds(np.take(share, places)) + edge.colour_weight * np.clip(evidence, -MOST_TOLD, MOST_TOLD)
        inside.ravel()[places] = odds > _log_odds(np.float32(edge.limit))
    return np.asarray(inside, dtype=np.bool_)


def _shares_in_doubt(edge: Edge) -> tuple[float, float]:
    """Between these shares of the network colour decides; beyond them it cannot tell enough to change the side."""
    odds, most = edge.limit / (1 - edge.limit), math.exp(edge.colour_weight * MOST_TOLD)
    return odds / (odds + most), odds / (odds + 1 / most)


def _some(colours: NDArray[np.float32], places: NDArray[np.intp]) -> NDArray[np.float32]:
    return np.take(colours, places[:: 1 + len(places) // TAUGHT_PX], axis=0)


def _log_odds(share: NDArray[np.float32] | np.float32) -> NDArray[np.float32]:
    return np.asarray(np.log(share / (1 - share)), dtype=np.float32)


def _log_likelihood(colours: NDArray[np.float32], taught: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of each colour (3, n) under the normal distribution of the colours taught (m, 3), up to a constant."""
    how = cv2.COVAR_NORMAL | cv2.COVAR_ROWS | cv2.COVAR_SCALE
    covariance, mean = cv2.calcCovarMatrix(taught, np.empty(0), how)
    covariance = covariance + _NEVER_SINGULAR
    away = colours - mean.T.astype(np.float32)
    # On ARM the product raises flags for lanes of a vector that hold no number of ours (numpy issue 28687).
    with np.errstate(all="ignore"):
        squared = (np.linalg.inv(covariance).astype(np.float32) @ away * away).sum(axis=0)
    return np.asarray(-0.5 * (squared + np.log(np.linalg.det(covariance))), dtype=np.float32)
