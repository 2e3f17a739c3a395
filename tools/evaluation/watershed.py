"""The classical baseline: Otsu's threshold, distance transform, watershed, and rules of size and colour."""

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.specimen.frame import Pixels


def find_by_watershed(pixels: Pixels, um_per_px: float) -> list[tuple[str, tuple[int, int, int, int]]]:
    """Cells of a picture without any network.

    Args:
        pixels: RGB, shape (rows, cols, 3).
        um_per_px: micrometres per pixel.

    Returns:
        Kind and box [xmin, ymin, xmax, ymax] of each cell.
    """
    blurred = np.asarray(cv2.GaussianBlur(pixels, (0, 0), max(0.5, 0.15 / um_per_px)), dtype=np.uint8)
    green = np.asarray(blurred[..., 1], dtype=np.uint8)
    nuclei = _nuclei(blurred)
    # Nuclei are so dark that Otsu would split them from everything else; the limit is sought without them.
    limit, _ = cv2.threshold(green[~nuclei], 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    foreground = (green <= limit).astype(np.uint8) * 255
    contours, _ = cv2.findContours(foreground, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(foreground, contours, -1, 255, cv2.FILLED)
    found: list[tuple[str, tuple[int, int, int, int]]] = []
    for component in _split(foreground, pixels, um_per_px):
        area_um2 = float(component.sum()) * um_per_px**2
        if area_um2 < 1.5:
            continue
        rows, cols = np.nonzero(component)
        box = int(cols.min()), int(rows.min()), int(cols.max()) + 1, int(rows.max()) + 1
        dark_um2 = float((component & nuclei).sum()) * um_per_px**2
        if dark_um2 > 15:
            kind = "wbc"
        elif area_um2 < 14:
            kind = "platelet" if dark_um2 > 0.2 * area_um2 else ""
        else:
            kind = "rbc"
        if kind:
            found.append((kind, box))
    return found


def _nuclei(pixels: Pixels) -> NDArray[np.bool_]:
    """Stained nuclei and platelets: much less green than red light passes, and little light at all."""
    red, green = (pixels[..., channel].astype(np.float32) for channel in (0, 1))
    background = float(np.percentile(green, 95))
    return np.asarray((green < 0.62 * background) & (red - green > 0.12 * background), dtype=np.bool_)


def _split(foreground: NDArray[np.uint8], pixels: Pixels, um_per_px: float) -> list[NDArray[np.bool_]]:
    """Touching cells apart: watershed from the peaks of the distance to the background."""
    distance = cv2.distanceTransform(foreground, cv2.DIST_L2, 5)
    reach = max(3, int(4.0 / um_per_px) | 1)
    peaks = (distance >= cv2.dilate(distance, np.ones((reach, reach), np.uint8))) & (distance * um_per_px > 0.8)
    _, markers = cv2.connectedComponents(peaks.astype(np.uint8))
    markers = np.asarray(markers, dtype=np.int32) + 1
    markers[(foreground > 0) & (markers == 1)] = 0
    labels = cv2.watershed(np.ascontiguousarray(pixels), markers)
    return [labels == label for label in range(2, int(labels.max()) + 1)]
