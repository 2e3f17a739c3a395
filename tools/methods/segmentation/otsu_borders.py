"""Otsu's threshold, watershed, and the border of each cell followed (Ritter & Cooper 2007; Madhuri)."""

import numpy as np
from skimage.filters import threshold_multiotsu
from skimage.measure import find_contours, label

from methods.device import Pixels
from methods.kinds import BoxXyxy, Parts, Segmentation
from methods.parts import NUCLEUS_UM2, RED_UM2, apart, large, nuclei, soft_grey, white_around


def find(pixels: Pixels, um_per_px: float, spacing_um: float) -> Parts:
    """Three classes of grey levels; red cells are closed borders around the pieces of the watershed.

    Args:
        pixels: RGB.
        um_per_px: their scale.
        spacing_um: least distance of two cells' middles.
    """
    grey = soft_grey(pixels, um_per_px)
    dark, glass = threshold_multiotsu(grey, classes=3, nbins=128)
    foreground = large(grey < glass, NUCLEUS_UM2, um_per_px)
    nucleus = nuclei(grey < dark, foreground, pixels, um_per_px)
    white = white_around(nucleus, foreground, um_per_px)
    cells = apart(foreground & ~white, um_per_px, spacing_um)
    boxes = [box for number in range(1, int(cells.max()) + 1) if (box := _border(cells == number, um_per_px))]
    return Parts(np.asarray(white), np.asarray(label(nucleus) > 0), boxes)


def _border(cell: np.typing.NDArray[np.bool_], um_per_px: float) -> BoxXyxy | None:
    area_um2 = np.count_nonzero(cell) * um_per_px**2
    if not RED_UM2[0] <= area_um2 <= RED_UM2[1]:
        return None
    rows, cols = np.nonzero(cell)
    top, left = int(rows.min()), int(cols.min())
    part = np.pad(cell[top : rows.max() + 1, left : cols.max() + 1].astype(float), 1)
    border = max(find_contours(part, 0.5), key=len) - 1
    (low_row, low_col), (high_row, high_col) = border.min(axis=0), border.max(axis=0)
    return (
        int(left + np.ceil(low_col)),
        int(top + np.ceil(low_row)),
        int(left + np.floor(high_col)) + 1,
        int(top + np.floor(high_row)) + 1,
    )


METHOD = Segmentation(
    "Otsu, watershed and borders", "Ritter & Cooper 2007; Madhuri", find, {"spacing_um": (1.5, 2.0, 3.0)}
)
