"""The classical baseline: Otsu's thresholds, distance transform, watershed, and rules of size and colour."""

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.specimen.frame import Pixels

Mask = NDArray[np.bool_]
MIN_AREA_UM2 = 1.5
MIN_RED_UM2 = 14.0
"""A cell smaller than this is a platelet or dirt."""
MIN_NUCLEUS_UM2 = 14.0
PEAK_SHARE = 0.8
"""Two touching cells part where the distance to the background falls below this share of the smaller peak."""


def find_by_watershed(pixels: Pixels, um_per_px: float) -> list[tuple[str, tuple[int, int, int, int]]]:
    """Cells of a picture without any network.

    Args:
        pixels: RGB, shape (rows, cols, 3).
        um_per_px: micrometres per pixel.

    Returns:
        Kind and box [xmin, ymin, xmax, ymax] of each cell.
    """
    blurred = np.asarray(cv2.GaussianBlur(pixels, (0, 0), max(0.5, 0.15 / um_per_px)), dtype=np.uint8)
    dark_limit, cell_limit = _two_otsu_limits(blurred[..., 1])
    foreground = _filled(blurred[..., 1] <= cell_limit)
    dark = _filled(blurred[..., 1] <= dark_limit)
    violet = blurred[..., 2].astype(np.float32) - blurred[..., 1]
    usual = float(np.median(violet[foreground & ~dark])) if (foreground & ~dark).any() else 0.0
    nuclei = _nuclei(dark, violet - usual, um_per_px)
    found: list[tuple[str, tuple[int, int, int, int]]] = []
    for cell in _split(foreground, pixels, um_per_px):
        area_um2 = float(cell.sum()) * um_per_px**2
        if area_um2 < MIN_AREA_UM2:
            continue
        rows, cols = np.nonzero(cell)
        nucleus_um2 = float((cell & nuclei).sum()) * um_per_px**2
        if nucleus_um2 >= MIN_NUCLEUS_UM2:
            kind = "wbc"
        elif area_um2 >= MIN_RED_UM2:
            kind = "rbc"
        elif float(violet[cell].mean()) > usual + 10:
            kind = "platelet"
        else:
            continue
        found.append((kind, (int(cols.min()), int(rows.min()), int(cols.max()) + 1, int(rows.max()) + 1)))
    return found


def _two_otsu_limits(channel: NDArray[np.uint8]) -> tuple[int, int]:
    """The two limits that part grey levels into nucleus, cell and background (Otsu 1979, three classes)."""
    share = np.bincount(channel.ravel(), minlength=256) / channel.size
    weight, moment = np.cumsum(share), np.cumsum(share * np.arange(256))
    low, high = np.triu_indices(255, 1)
    parts = (
        (weight[low], moment[low]),
        (weight[high] - weight[low], moment[high] - moment[low]),
        (1 - weight[high], moment[-1] - moment[high]),
    )
    between = sum(m**2 / np.maximum(w, 1e-9) for w, m in parts)
    best = int(np.argmax(between))
    return int(low[best]), int(high[best])


def _filled(mask: Mask) -> Mask:
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    plane = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(plane, contours, -1, 1, cv2.FILLED)
    return plane.astype(np.bool_)


def _nuclei(dark: Mask, violet: NDArray[np.float32], um_per_px: float) -> Mask:
    """Dark pieces large enough for a nucleus and clearly more violet than the red cells of the picture."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(dark.astype(np.uint8))
    nuclei = np.zeros(dark.shape, np.bool_)
    for label in range(1, count):
        piece = labels == label
        if stats[label, cv2.CC_STAT_AREA] * um_per_px**2 >= 4 and float(violet[piece].mean()) > 15:
            nuclei |= piece
    return nuclei


def _split(foreground: Mask, pixels: Pixels, um_per_px: float) -> list[Mask]:
    """Touching cells apart: watershed from the cores of the distance to the background."""
    plane = foreground.astype(np.uint8)
    distance = cv2.distanceTransform(plane, cv2.DIST_L2, 5)
    reach = max(3, int(4.0 / um_per_px) | 1)
    summit = cv2.dilate(distance, np.ones((reach, reach), np.uint8))
    cores = (distance >= PEAK_SHARE * summit) & (distance * um_per_px > 0.5)
    _, markers = cv2.connectedComponents(cores.astype(np.uint8))
    markers = np.asarray(markers, dtype=np.int32) + 1
    markers[foreground & (markers == 1)] = 0
    labels = cv2.watershed(np.ascontiguousarray(pixels), markers)
    return [labels == label for label in range(2, int(labels.max()) + 1)]
