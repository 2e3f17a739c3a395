"""Makes the colours of one picture those of a reference: white point, then the two stains' vectors and strengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Colours = NDArray[np.float64]

BACKGROUND = 95
"""Percentile per channel that stands for empty glass."""
GAINS = (0.67, 1.5)
STAINED = 0.15
"""Optical density from which a pixel is stained."""
STRENGTHS = (0.5, 2.0)
ANGLE = 1.0
"""Percentile of the angles in the plane of the stains at which their vectors lie."""
STRONGEST = 99


@dataclass(frozen=True, slots=True)
class Look:
    """How a laboratory's pictures look, as the median over some."""

    background: Colours
    """RGB of empty glass, 0-255."""
    stains: Colours
    """Optical density per stain (2, 3), unit length."""
    strengths: Colours
    """Concentration per stain that one pixel in a hundred exceeds."""


def look_of(pictures: Sequence[Picture]) -> Look:
    """The reference that other pictures are made to resemble."""
    backgrounds = np.array([background_of(picture) for picture in pictures])
    seen = [stains_of(picture) for picture in pictures]
    known = [one for one in seen if one is not None]
    stains = np.median([vectors for vectors, _ in known], axis=0)
    return Look(
        np.median(backgrounds, axis=0),
        stains / np.linalg.norm(stains, axis=1, keepdims=True),
        np.median([strengths for _, strengths in known], axis=0),
    )


def background_of(picture: Picture) -> Colours:
    """RGB of the brightest part, (3,)."""
    return np.asarray(np.percentile(picture.reshape(-1, 3), BACKGROUND, axis=0), dtype=np.float64)


def with_white_point(picture: Picture, look: Look) -> Picture:
    """The picture with the reference's empty glass."""
    gain = np.clip(look.background / np.maximum(background_of(picture), 1.0), *GAINS)
    return np.asarray(np.clip(picture * gain + 0.5, 0, 255), dtype=np.uint8)


def with_stains(picture: Picture, look: Look) -> Picture:
    """The picture with the reference's empty glass, stain vectors and strengths (Macenko et al. 2009).

    Where two stains cannot be separated, only the white point is set.
    """
    picture = with_white_point(picture, look)
    seen = stains_of(picture)
    if seen is None:
        return picture
    vectors, strengths = seen
    amounts = np.linalg.lstsq(vectors.T, _density(picture).T, rcond=None)[0]
    amounts *= np.clip(look.strengths / np.maximum(strengths, 1e-3), *STRENGTHS)[:, None]
    light = 255 * np.exp(-np.maximum(look.stains.T @ amounts, 0.0))
    return np.asarray(np.clip(light.T.reshape(picture.shape) + 0.5, 0, 255), dtype=np.uint8)


def stains_of(picture: Picture) -> tuple[Colours, Colours] | None:
    """Both stains' vectors (2, 3), the redder absorber first, and their strengths (2,); None with too few pixels."""
    density = _density(picture)
    stained = density[density.max(axis=1) > STAINED]
    if len(stained) < 100:
        return None
    _, axes = np.linalg.eigh(np.cov(stained.T))
    plane = axes[:, [2, 1]]
    plane *= np.where(plane.sum(axis=0) < 0, -1.0, 1.0)
    flat = stained @ plane
    low, high = np.percentile(np.arctan2(flat[:, 1], flat[:, 0]), (ANGLE, 100 - ANGLE))
    vectors = np.array([plane @ (np.cos(angle), np.sin(angle)) for angle in (low, high)])
    vectors = vectors[np.argsort(-vectors[:, 0])]
    if (vectors < -0.2).any() or np.linalg.cond(vectors) > 50:
        return None
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    amounts = np.linalg.lstsq(vectors.T, stained.T, rcond=None)[0]
    return vectors, np.percentile(amounts, STRONGEST, axis=1)


def _density(picture: Picture) -> Colours:
    return np.asarray(-np.log((picture.reshape(-1, 3) + 1.0) / 256.0), dtype=np.float64)
