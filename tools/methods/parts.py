"""From thresholded planes to cells: what the segmentations share once each has found its pixels."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, distance_transform_edt
from skimage.color import rgb2gray
from skimage.feature import peak_local_max
from skimage.filters import gaussian
from skimage.measure import label, regionprops
from skimage.morphology import remove_small_objects
from skimage.segmentation import watershed

from methods.device import Pixels
from methods.kinds import BoxXyxy, Flags, Labels

NUCLEUS_UM2 = 12.0
"""A smaller dark piece is a platelet or dirt."""
VIOLET = 15.0
"""Levels by which a nucleus is bluer, less green, than the rest of the foreground."""
CYTOPLASM_UM = 4.0
"""How far the cytoplasm of a white cell may reach from its nucleus."""
RED_UM2 = (15.0, 110.0)
"""Least and greatest area of a single red cell."""
Plane = NDArray[np.float64]


def soft_grey(pixels: Pixels, um_per_px: float, sigma_um: float = 0.2) -> Plane:
    """Luminance 0-1, smoothed."""
    return np.asarray(gaussian(rgb2gray(pixels), sigma_um / um_per_px))


def soft_green(pixels: Pixels, um_per_px: float, sigma_um: float = 0.2) -> Plane:
    """Green 0-1, smoothed: both dyes absorb it."""
    return np.asarray(gaussian(pixels[..., 1] / 255.0, sigma_um / um_per_px))


def large(flags: Flags, least_um2: float, um_per_px: float) -> Flags:
    """The pieces that are at least so large, their holes filled."""
    kept = remove_small_objects(flags, max_size=max(1, int(least_um2 / um_per_px**2)))
    return np.asarray(binary_fill_holes(kept))


def nuclei(dark: Flags, foreground: Flags, pixels: Pixels, um_per_px: float) -> Flags:
    """Dark pieces that are large enough and more violet than the rest of the foreground.

    No paper needs the second rule, because each looks at fields that hold a white cell; without it red cells are nuclei
    wherever none is seen. It is that of `evaluation.watershed`.
    """
    pieces = label(large(dark, NUCLEUS_UM2, um_per_px))
    violet = pixels[..., 2].astype(np.float32) - pixels[..., 1]
    rest = foreground & (pieces == 0)
    usual = float(np.median(violet[rest])) if rest.any() else 0.0
    kept = [one.label for one in regionprops(pieces, intensity_image=violet) if one.intensity_mean - usual > VIOLET]
    return np.asarray(np.isin(pieces, kept))


def white_around(nucleus: Flags, foreground: Flags, um_per_px: float) -> Flags:
    """Whole white cells: the foreground within reach of a nucleus, and the nucleus itself."""
    if not nucleus.any():
        return np.zeros_like(nucleus)
    near = distance_transform_edt(~nucleus) * um_per_px <= CYTOPLASM_UM
    pieces = label(foreground & near | nucleus)
    return np.asarray(binary_fill_holes(np.isin(pieces, np.unique(pieces[nucleus]))))


def apart(foreground: Flags, um_per_px: float, spacing_um: float = 2.5) -> Labels:
    """Touching cells parted by a watershed of the distance to the background."""
    distance = gaussian(distance_transform_edt(foreground), 0.3 / um_per_px)
    peaks = peak_local_max(distance, min_distance=max(1, int(spacing_um / um_per_px)), labels=label(foreground))
    cores = np.zeros(foreground.shape, np.intp)
    cores[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return np.asarray(watershed(-distance, cores, mask=foreground), dtype=np.intp)


def red_boxes(cells: Labels, um_per_px: float, white: Flags | None = None) -> list[BoxXyxy]:
    """Boxes of the pieces that are as large as a red cell and are not mostly white cell."""
    found = []
    for one in regionprops(cells):
        if not RED_UM2[0] <= one.area * um_per_px**2 <= RED_UM2[1]:
            continue
        if white is not None and white[tuple(one.coords.T)].mean() > 0.4:
            continue
        top, left, bottom, right = one.bbox
        found.append((int(left), int(top), int(right), int(bottom)))
    return found


def circle_boxes(centres: NDArray[np.intp], radii: NDArray[np.intp], shape: tuple[int, ...]) -> list[BoxXyxy]:
    """Boxes of circles at (row, col), cut at the picture's edge."""
    rows, cols = shape[:2]
    return [
        (max(0, int(x - r)), max(0, int(y - r)), min(cols, int(x + r) + 1), min(rows, int(y + r) + 1))
        for (y, x), r in zip(centres, radii, strict=True)
    ]
