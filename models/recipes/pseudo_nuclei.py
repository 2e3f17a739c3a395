"""Guesses the nucleus of a white cell whose outline is known: the part that lets least red light through."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]

LEAST_AREA_PX = 150
"""White cells smaller than this, mostly cut off by the border, are not guessed."""

SHARE_OF_CELL = (0.12, 0.93)
LEAST_SEPARATION = 0.60
"""Share of the variance that two parts must explain; below it the cell shows no clear nucleus."""

DOUBTFUL = 0.22
"""Half width of the doubtful zone about the threshold, as a share of the distance between the two parts."""


class Nuclei(NamedTuple):
    """Where nuclei are, and where inside the white cells that is not known; both (height, width)."""

    nucleus: Flags
    unknown: Flags


def guess(picture: NDArray[np.uint8], cells: list[Flags]) -> Nuclei:
    """Nuclei of an RGB picture whose white cells are given one by one as (height, width) flags."""
    nucleus = np.zeros(picture.shape[:2], dtype=bool)
    unknown = np.zeros(picture.shape[:2], dtype=bool)
    # Nuclei are blue to purple under every Romanowsky stain: they stop red light, which granules and haemoglobin pass.
    density = -np.log((cv2.GaussianBlur(picture, (0, 0), 0.7).astype(np.float32) + 4.0) / 259.0)
    depth = density[..., 0] + 0.35 * density[..., 1]
    for cell in cells:
        found = _split(depth, cell)
        if found is None:
            unknown |= cell
        else:
            nucleus |= found.nucleus
            unknown |= found.unknown
    return Nuclei(nucleus, unknown & ~nucleus)


def _split(depth: NDArray[np.float32], cell: Flags) -> Nuclei | None:
    values = depth[cell]
    if values.size < LEAST_AREA_PX:
        return None
    low, high = np.percentile(values, [1, 99])
    if high - low < 0.15:
        return None
    levels = np.clip((values - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    level, _ = cv2.threshold(levels.reshape(1, -1), 0, 255, cv2.THRESH_OTSU)
    threshold = float(level) / 255 * (high - low) + low
    dark = values > threshold
    share = float(dark.mean())
    if not SHARE_OF_CELL[0] < share < SHARE_OF_CELL[1]:
        return None
    gap = float(values[dark].mean() - values[~dark].mean())
    if share * (1 - share) * gap**2 / float(values.var()) < LEAST_SEPARATION:
        return None
    kernel = np.ones((3, 3), dtype=np.uint8)
    solid = cv2.morphologyEx(((depth > threshold) & cell).astype(np.uint8), cv2.MORPH_OPEN, kernel)
    nucleus = _without_specks(cv2.morphologyEx(solid, cv2.MORPH_CLOSE, kernel).astype(bool) & cell)
    doubtful = (np.abs(depth - threshold) < DOUBTFUL * gap) & cell & ~nucleus
    return Nuclei(nucleus, doubtful)


def _without_specks(nucleus: Flags) -> Flags:
    """Granules as dark as the nucleus taken out, and pale specks of chromatin filled in."""
    clean = _without_small(nucleus, max(20, int(0.06 * nucleus.sum())))
    return ~_without_small(~clean, 40)


def _without_small(flags: Flags, least: int) -> Flags:
    count, names, stats, _ = cv2.connectedComponentsWithStats(flags.astype(np.uint8), connectivity=4)
    large = np.array([False] + [bool(stats[name, cv2.CC_STAT_AREA] >= least) for name in range(1, count)])
    return np.asarray(large[names], dtype=bool)
