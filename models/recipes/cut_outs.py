"""Cells without their slide: outlined ones, and those a collection cut out itself, pasted where others lie.

A stain, a background or a neighbourhood that goes with one label teaches the slide instead of the cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes import Picture

SIDE_PX = 160
EDGE_PX = 1.3
"""Sigma of the soft edge of a pasted cell."""
PLAIN_GREYS = (0.0, 0.0, 235.0, 250.0, 128.0)
"""Levels of plain backgrounds. Black is drawn most: a whole public collection comes on it."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outlines:
    """Which pixels of a cached picture are its middle cell, by crop key (`outline_crops`)."""

    masks: dict[str, NDArray[np.uint8]]
    diameters_um: dict[str, float]

    @classmethod
    def read(cls, path: Path) -> Outlines:
        """Reads what `outline_crops` wrote; crops without an outline have none here."""
        with np.load(path) as kept:
            found = zip(kept["keys"].tolist(), kept["masks"], kept["diameters_um"].tolist(), strict=True)
            rows = [(key, mask, diameter) for key, mask, diameter in found if np.isfinite(diameter)]
        return cls({key: mask for key, mask, _ in rows}, {key: diameter for key, _, diameter in rows})


def read_transparent(path: str) -> tuple[Picture, Mask] | None:
    """RGB and mask of a picture with an alpha plane; None if it has none."""
    picture = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise FileNotFoundError(path)
    if picture.ndim != 3 or picture.shape[2] != 4:
        return None
    rgb = np.asarray(cv2.cvtColor(picture[:, :, :3], cv2.COLOR_BGR2RGB), dtype=np.uint8)
    return rgb, np.asarray(picture[:, :, 3] > 127)


def paste(cell: Picture, mask: Mask, onto: Picture) -> Picture:
    """The cell's pixels on another picture of the same size, with a soft edge."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), EDGE_PX)[..., None]
    return np.asarray(cell * soft + onto * (1.0 - soft) + 0.5, dtype=np.uint8)


def spread(cell: Picture, mask: Mask) -> Picture:
    """The cell's own colours carried a few pixels beyond its mask, or a soft edge would mix in what lies there."""
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 3.0)[..., None]
    colours = cv2.GaussianBlur(np.where(mask[..., None], cell, np.uint8(0)).astype(np.float32), (0, 0), 3.0)
    beyond = np.asarray(np.clip(colours / np.maximum(weight, 1e-3), 0, 255), dtype=np.uint8)
    return np.where(mask[..., None], cell, beyond)


def plain(rng: np.random.Generator) -> Picture:
    """A background of one colour."""
    grey = PLAIN_GREYS[int(rng.integers(len(PLAIN_GREYS)))]
    colour = np.clip(grey + (rng.normal(0.0, 6.0, 3) if grey else 0.0), 0, 255)
    return np.full((SIDE_PX, SIDE_PX, 3), colour, dtype=np.uint8)


def thinned(cell: Picture, rng: np.random.Generator) -> Picture:
    """A darkly normalised cell with less stain, by optical density, and its contrast spread."""
    density = -np.log((cell.astype(np.float32) + 1.0) / 256.0)
    density *= rng.uniform(0.35, 0.85) * np.exp(rng.normal(0.0, 0.08, 3)).astype(np.float32)
    return np.asarray(np.clip(256.0 * np.exp(-density) - 1.0, 0, 255), dtype=np.uint8)


def crowd(picture: Picture, mask: Mask, other: Picture, other_mask: Mask, rng: np.random.Generator) -> Picture:
    """The picture with another cell pushed against the middle one, behind it.

    Args:
        picture: shape (160, 160, 3), its cell where `mask` says.
        mask: shape (160, 160).
        other: another picture of that size, its cell where `other_mask` says.
        other_mask: shape (160, 160).
        rng: where the other cell lies.
    """
    reach = (np.sqrt(mask.sum() / np.pi) + np.sqrt(other_mask.sum() / np.pi)) * rng.uniform(0.88, 1.25)
    angle = rng.uniform(0.0, 2.0 * np.pi)
    shift = np.array([[1.0, 0.0, reach * np.cos(angle)], [0.0, 1.0, reach * np.sin(angle)]])
    size = (SIDE_PX, SIDE_PX)
    moved = cv2.warpAffine(other, shift, size, flags=cv2.INTER_LINEAR)
    moved_mask = cv2.warpAffine(other_mask.astype(np.uint8), shift, size, flags=cv2.INTER_NEAREST) > 0
    return paste(np.asarray(moved, dtype=np.uint8), moved_mask & ~mask, picture)
