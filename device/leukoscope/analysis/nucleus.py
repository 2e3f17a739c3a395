"""Draws the nucleus of a white cell, and counts its lobes."""

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.analysis.edge_refinement import Edge, part

NUCLEUS_EDGE = Edge(limit=0.6, colour_weight=0.5)
"""Chosen on the training pictures' validation split: the network alone draws nuclei a little large."""
LEAST_PIECE_HALF_WIDTH_UM = 0.5
"""A nuclear piece is this thick somewhere: thinner ones are granules, or the cell's dark rim."""
LEAST_GAP_UM2 = 0.8
"""A smaller gap in the nucleus is pale chromatin or a nucleolus."""

NECK = 0.65
"""A lobe is joined to the next by a neck narrower than this share of its own width: filaments are, the waist of a
band form is not."""
LEAST_HALF_WIDTH_UM = 0.6
"""A narrower bump is no lobe."""
LOBE_UM_PER_PX = 0.15
"""Lobes are counted at this scale, whatever the picture's."""
_LEVELS = 24


def draw_nucleus(
    share: NDArray[np.float32],
    density: NDArray[np.float32],
    outline: NDArray[np.bool_],
    um_per_px: float,
) -> NDArray[np.bool_]:
    """Which pixels of a white cell are nucleus; none where the network sees none.

    Args:
        share: the network's probability of nucleus, 0-1, shape (rows, cols).
        density: see `edge_refinement.stain_density`; shape (rows, cols, 3).
        outline: the cell, shape (rows, cols).
        um_per_px: the picture's scale.
    """
    nucleus = part(share, density, NUCLEUS_EDGE, um_per_px, among=outline)
    # A nucleus fills a part of its cell's box: only that is looked through, and one empty pixel around it.
    found = _cropped(nucleus)
    padded = np.pad(found.view(np.uint8), 1)
    found[:] = _without_small_gaps(_thick_pieces(padded, um_per_px), LEAST_GAP_UM2 / um_per_px**2)[1:-1, 1:-1]
    return nucleus & outline


def count_lobes(nucleus: NDArray[np.bool_], um_per_px: float) -> int:
    """Parts of a nucleus that hang together by necks alone, or not at all.

    The distance to the nucleus's edge rises to a peak in each lobe. Lowering a level from the highest peak, parts
    appear and join; a part that joins a larger one at a neck of less than NECK of its own half-width is a lobe.
    """
    distance_um = _distance_um(nucleus, um_per_px)
    highest = float(distance_um.max())
    parts: list[tuple[float, int]] = []
    lobes = 0
    for level in np.linspace(highest, 0, _LEVELS, endpoint=False)[1:]:
        count, names = cv2.connectedComponents((distance_um > level).astype(np.uint8), connectivity=8)
        flat = names.ravel()
        by_name: dict[int, list[tuple[float, int]]] = {}
        for one in parts:
            by_name.setdefault(int(flat[one[1]]), []).append(one)
        parts = []
        for name in range(1, count):
            # Parts come in falling height: new ones start at lower levels than those there already.
            tallest, *others = by_name.get(name) or [_peak(distance_um, names == name)]
            parts.append(tallest)
            lobes += sum(1 for height, _ in others if height >= LEAST_HALF_WIDTH_UM and level <= NECK * height)
        parts.sort(key=lambda one: -one[0])
    return lobes + sum(1 for height, _ in parts if height >= LEAST_HALF_WIDTH_UM)


def _distance_um(nucleus: NDArray[np.bool_], um_per_px: float) -> NDArray[np.float32]:
    """Micrometres to the nucleus's edge, 0 outside, at LOBE_UM_PER_PX."""
    zoom = um_per_px / LOBE_UM_PER_PX
    padded = np.pad(_cropped(nucleus).astype(np.uint8) * np.uint8(255), 2)
    size = max(1, round(padded.shape[1] * zoom)), max(1, round(padded.shape[0] * zoom))
    scaled = cv2.resize(padded, size, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR)
    inside = (scaled > 127).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)) * np.float32(LOBE_UM_PER_PX)


def _cropped(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    left, top, width, height = cv2.boundingRect(flags.view(np.uint8))
    return flags[top : top + height, left : left + width]


def _peak(distance_um: NDArray[np.float32], where: NDArray[np.bool_]) -> tuple[float, int]:
    """Height and flat place of the highest point of a part."""
    place = int(np.argmax(np.where(where, distance_um, 0)))
    return float(distance_um.flat[place]), place


def _thick_pieces(plane: NDArray[np.uint8], um_per_px: float) -> NDArray[np.uint8]:
    count, names = cv2.connectedComponents(plane, connectivity=4)
    half_width = cv2.distanceTransform(plane, cv2.DIST_L2, cv2.DIST_MASK_5)
    kept = np.zeros(count, dtype=np.uint8)
    kept[names[half_width >= LEAST_PIECE_HALF_WIDTH_UM / um_per_px]] = 1
    return np.take(kept, np.asarray(names, dtype=np.int32))


def _without_small_gaps(plane: NDArray[np.uint8], least_px: float) -> NDArray[np.bool_]:
    contours, hierarchy = cv2.findContours(plane, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    parents = [] if hierarchy is None else hierarchy[0, :, 3].tolist()
    # Gaps alone have a parent. Their contours run on the nucleus: by Pick's theorem (1899) this many pixels lie inside.
    small = [
        one
        for one, parent in zip(contours, parents, strict=True)
        if parent >= 0 and cv2.contourArea(one) - len(one) / 2 + 1 < least_px
    ]
    cv2.drawContours(plane, small, -1, 1, cv2.FILLED)
    return plane.view(np.bool_)
