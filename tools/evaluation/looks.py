"""Labelled pictures as another lamp, stain, camera or a wrong scale would give them: one thing changed at a time."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.focus import blurred, noisy
from leukoscope.specimen.frame import Pixels

Change = Callable[[Pixels, float], tuple[Pixels, float]]
"""Of an RGB picture (rows, cols, 3) and its µm per pixel; gives a picture of the same size and what its scale is said
to be."""

KEPT_LEVEL = 200.0
"""About the empty glass: a camera that fades or hardens a picture turns about a bright level."""
COARSE_UM_PER_PX = 0.22
_SEED = 0


class Look(NamedTuple):
    """One way in which a picture may differ."""

    name: str
    change: Change


def _scaled(factor: float) -> Change:
    return lambda pixels, um_per_px: (pixels, um_per_px * factor)


def _lit(red: float, green: float, blue: float) -> Change:
    lamp = np.array([red, green, blue])
    return lambda pixels, um_per_px: (_clipped(pixels * lamp), um_per_px)


def _contrast(factor: float) -> Change:
    return lambda pixels, um_per_px: (_clipped((pixels - KEPT_LEVEL) * factor + KEPT_LEVEL), um_per_px)


def _stained(factor: float) -> Change:
    # Beer and Lambert: as much more dye multiplies the optical density.
    return lambda pixels, um_per_px: (_clipped(255.0 * (pixels / 255.0) ** factor), um_per_px)


def _turned_hue(degrees: float) -> Change:
    """Rodrigues' rotation of all colours about the grey axis."""
    angle, k = np.deg2rad(degrees), 1.0 / np.sqrt(3.0)
    cross = np.array([[0.0, -k, k], [k, 0.0, -k], [-k, k, 0.0]])
    turn = np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross)
    return lambda pixels, um_per_px: (_clipped(pixels @ turn.T), um_per_px)


def _blurred(sigma_um: float) -> Change:
    return lambda pixels, um_per_px: (blurred(pixels, sigma_um / um_per_px), um_per_px)


def _noisy(levels: float) -> Change:
    return lambda pixels, um_per_px: (noisy(pixels, levels, _SEED), um_per_px)


def _compressed(quality: int) -> Change:
    def change(pixels: Pixels, um_per_px: float) -> tuple[Pixels, float]:
        _, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED), dtype=np.uint8), um_per_px

    return change


def _coarse(pixels: Pixels, um_per_px: float) -> tuple[Pixels, float]:
    rows, cols = pixels.shape[:2]
    share = min(1.0, um_per_px / COARSE_UM_PER_PX)
    few = cv2.resize(pixels, (round(cols * share), round(rows * share)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(few, (cols, rows), interpolation=cv2.INTER_CUBIC), dtype=np.uint8), um_per_px


def _sharpened(pixels: Pixels, um_per_px: float) -> tuple[Pixels, float]:
    soft = blurred(pixels, 0.25 / um_per_px)
    return np.asarray(cv2.addWeighted(pixels, 2.5, soft, -1.5, 0.0), dtype=np.uint8), um_per_px


def _clipped(levels: NDArray[np.floating]) -> Pixels:
    return np.asarray(np.clip(np.rint(levels), 0, 255), dtype=np.uint8)


LOOKS = (
    Look("as they are", _scaled(1.0)),
    Look("scale said 10 % too large", _scaled(1.1)),
    Look("scale said 10 % too small", _scaled(1 / 1.1)),
    Look("scale said 20 % too large", _scaled(1.2)),
    Look("scale said 20 % too small", _scaled(1 / 1.2)),
    Look("blurred by 0.4 µm", _blurred(0.4)),
    Look(f"pixels of {COARSE_UM_PER_PX} µm", _coarse),
    Look("sharpened, as phones do", _sharpened),
    Look("noise of 10 levels", _noisy(10.0)),
    Look("JPEG of quality 25", _compressed(25)),
    Look("faded to half the contrast", _contrast(0.5)),
    Look("half as much contrast again", _contrast(1.5)),
    Look("dark, 0.6 of the light", _lit(0.6, 0.6, 0.6)),
    Look("yellow lamp", _lit(1.0, 0.88, 0.65)),
    Look("green lamp", _lit(0.75, 1.0, 0.75)),
    Look("blue lamp", _lit(0.7, 0.85, 1.0)),
    Look("pale stain, 0.6 of the density", _stained(0.6)),
    Look("strong stain, 1.6 of the density", _stained(1.6)),
    Look("colours turned by 25°", _turned_hue(25.0)),
    Look("colours turned by -25°", _turned_hue(-25.0)),
)
"""Steps that a bench may well differ by, chosen by eye; not measured between laboratories."""
