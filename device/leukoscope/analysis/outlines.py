"""Draws the outline of every cell that was found, so that no pixel belongs to two of them."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.analysis.edge_refinement import Edge, part, stain_density
from leukoscope.analysis.nucleus import draw_nucleus
from leukoscope.analysis.peaks import Boxes
from leukoscope.analysis.pixel_partition import Flags, PixelPartition
from leukoscope.specimen.cell import Box, CellInstance, CellKind
from leukoscope.specimen.frame import Micrograph

KINDS = (CellKind.RBC, CellKind.WBC, CellKind.PLATELET)
"""In the order of the network's heat channels."""
MASK_STRIDE = 2
"""Network pixels per mask pixel."""
ANY_CELL, WHITE_CELL, NUCLEUS = 0, 1, 2
"""Mask planes."""
WHITE_EDGE = Edge(limit=0.40, colour_weight=0.40)
"""Chosen on the validation split."""
LOBE_UM = 1.0
"""How far lobes and tails of a white cell are looked for beyond its box."""
SEEN_AROUND_UM = 0.5
"""How far beyond that the picture teaches what does not belong to it."""
BORDER_UM = 0.3
"""A cell whose box comes this close to the picture's edge is cut by it."""
MIN_FILL = 0.35
"""An outline that fills less of the box's ellipse than this is not believed; the ellipse stands in."""
MIN_SIDE_UM = 0.8
"""A box narrower than this is no cell: the smallest platelets measure about 1.5 µm."""


def outline_cells(
    found: Boxes, logits: NDArray[np.float32], factor: tuple[float, float], micrograph: Micrograph
) -> tuple[CellInstance, ...]:
    """Outline and measure every cell.

    Args:
        found: boxes in network pixels, clipped to the picture.
        logits: log-odds of any cell, white cell and nucleus, shape (3, rows, cols).
        factor: micrograph pixels per network pixel (rows, cols).
        micrograph: the picture they were found in.
    """
    rows, cols = micrograph.pixels.shape[:2]
    sides = found.corners() * np.array([factor[1], factor[0], factor[1], factor[0]], dtype=np.float32)
    edges = np.clip(np.floor(sides + 0.5).astype(np.intp), 0, [cols, rows, cols, rows])
    wide = (edges[:, 2:] - edges[:, :2]).min(axis=1) * micrograph.um_per_px >= MIN_SIDE_UM
    sides, edges = sides[wide], edges[wide]
    kinds = [KINDS[kind] for kind in found.kind[wide].tolist()]
    is_white = np.array([kind is CellKind.WBC for kind in kinds], dtype=np.bool_)
    # Lobes and tails of white cells reach beyond their boxes.
    by = np.where(is_white, round(LOBE_UM / micrograph.um_per_px), 0)[:, None]
    boxed, edges = edges, np.clip(edges + by * [-1, -1, 1, 1], 0, [cols, rows, cols, rows])
    territories = PixelPartition(sides, edges, choosing=is_white)
    any_cell = _any_cell(logits[ANY_CELL], factor)
    cut = _are_cut(boxed, micrograph).tolist()
    scores = found.score[wide].tolist()
    # A box's ellipse has this share of its area.
    least_px = (MIN_FILL * math.pi / 4 * np.prod(boxed[:, 2:] - boxed[:, :2], axis=1)).tolist()
    corners = edges.tolist()
    cells: dict[int, CellInstance] = {}
    # White cells first: the network tells their pixels from those of the cells they press against.
    for index in np.argsort(~is_white, kind="stable").tolist():
        left, top, right, bottom = corners[index]
        box, nucleus = Box(top, left, bottom, right), None
        if is_white[index]:
            white = _WhiteCell(box, logits, factor, micrograph)
            outline = _outline(white.cell, index, territories, least_px[index], cut=cut[index])
            territories.take(index, outline)
            nucleus = white.nucleus_in(outline)
            box, inner = _trimmed(box, outline, boxed[index])
            outline, nucleus = outline[inner], nucleus[inner]
        else:
            outline = _outline(any_cell[top:bottom, left:right], index, territories, least_px[index], cut=cut[index])
        area_um2 = float(np.count_nonzero(outline)) * micrograph.um_per_px**2
        cells[index] = CellInstance(
            kind=kinds[index],
            confidence=scores[index],
            box=box,
            outline=outline,
            nucleus=nucleus,
            area_um2=area_um2,
            diameter_um=2 * math.sqrt(area_um2 / math.pi),
            touches_border=cut[index],
        )
    return tuple(cells[index] for index in range(len(cells)))


class _WhiteCell:
    """What the network and the picture say about the pixels of one white cell's box."""

    def __init__(
        self, box: Box, logits: NDArray[np.float32], factor: tuple[float, float], micrograph: Micrograph
    ) -> None:
        self._um_per_px = micrograph.um_per_px
        around = _grown(box, math.ceil(SEEN_AROUND_UM / self._um_per_px), micrograph)
        inner = np.s_[box.row - around.row : box.row_end - around.row, box.col - around.col : box.col_end - around.col]
        pixels = micrograph.pixels[around.row : around.row_end, around.col : around.col_end]
        density = stain_density(pixels, self._um_per_px)
        share = _share_in(logits[WHITE_CELL], around, factor)
        self.cell = part(share, density, WHITE_EDGE, self._um_per_px)[inner]
        self._density = density[inner]
        self._nucleus_share = _share_in(logits[NUCLEUS], box, factor)

    def nucleus_in(self, outline: Flags) -> Flags:
        """The nucleus, inside an outline of the box's shape."""
        return draw_nucleus(self._nucleus_share, self._density, outline, self._um_per_px)


def _trimmed(box: Box, outline: Flags, boxed: NDArray[np.intp]) -> tuple[Box, tuple[slice, slice]]:
    """The found box (xmin, ymin, xmax, ymax), larger where the outline leaves it, and where it lies in `box`."""
    left, top, width, height = cv2.boundingRect(outline.view(np.uint8))
    xmin, ymin, xmax, ymax = boxed.tolist()
    if width:
        xmin, xmax = min(xmin, box.col + left), max(xmax, box.col + left + width)
        ymin, ymax = min(ymin, box.row + top), max(ymax, box.row + top + height)
    inner = slice(ymin - box.row, ymax - box.row), slice(xmin - box.col, xmax - box.col)
    return Box(ymin, xmin, ymax, xmax), inner


def _grown(box: Box, by: int, micrograph: Micrograph) -> Box:
    rows, cols = micrograph.pixels.shape[:2]
    return Box(max(0, box.row - by), max(0, box.col - by), min(rows, box.row_end + by), min(cols, box.col_end + by))


def _are_cut(edges: NDArray[np.intp], micrograph: Micrograph) -> Flags:
    """Which boxes (xmin, ymin, xmax, ymax) reach the picture's edge."""
    rows, cols = micrograph.pixels.shape[:2]
    near = BORDER_UM / micrograph.um_per_px
    return np.asarray(
        (edges[:, :2].min(axis=1) <= near) | ((np.array([cols, rows]) - edges[:, 2:]).min(axis=1) <= near)
    )


def _any_cell(logits: NDArray[np.float32], factor: tuple[float, float]) -> Flags:
    """Which pixels of the micrograph are cell: the whole plane at once costs less than each cell's box for itself."""
    # Eight bits place an edge within hundredths of a pixel, and take a quarter of the memory.
    shares = (255 * _share(logits) + 0.5).astype(np.uint8)
    enlarged = cv2.resize(shares, None, fx=factor[1] * MASK_STRIDE, fy=factor[0] * MASK_STRIDE)
    _, flags = cv2.threshold(enlarged, 127, 1, cv2.THRESH_BINARY, dst=enlarged)
    return np.asarray(flags, dtype=np.uint8).view(np.bool_)


def _share_in(logits: NDArray[np.float32], box: Box, factor: tuple[float, float]) -> NDArray[np.float32]:
    """A mask plane's probability, bilinearly, at the pixels of a box of the micrograph."""
    top, by_row = _on_mask(box.row, factor[0])
    left, by_col = _on_mask(box.col, factor[1])
    bottom, right = top + by_row * box.height, left + by_col * box.width
    first_row, first_col = max(0, math.floor(top)), max(0, math.floor(left))
    near = _share(logits[first_row : math.ceil(bottom) + 1, first_col : math.ceil(right) + 1])
    to_mask = np.array([[by_col, 0, left - first_col], [0, by_row, top - first_row]])
    size, flags = (box.width, box.height), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    share = cv2.warpAffine(near, to_mask, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(share, dtype=np.float32)


def _on_mask(pixel: int, factor: float) -> tuple[float, float]:
    """Where a pixel's middle lies on a mask plane along one axis, and how far from there the next one's."""
    step = 1 / (factor * MASK_STRIDE)
    return (pixel + 0.5) * step - 0.5, step


def _share(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of log-odds (the logistic function)."""
    # Below -88 the exponential is beyond float32: infinity, whose reciprocal is the right 0.
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)


def _outline(seen: Flags, index: int, territories: PixelPartition, least_px: float, *, cut: bool) -> Flags:
    """What is seen of a cell in its territory: one piece without holes, or the ellipse where too little is seen."""
    territory = territories.of(index)
    own = seen & territory
    piece = _one_piece(own, cut=cut)
    if np.count_nonzero(piece) < least_px:
        return territories.ellipse(index)
    return own if piece is own else piece & territory


def _one_piece(flags: Flags, *, cut: bool) -> Flags:
    """The largest piece with its holes filled: a red cell's pale middle is cell.

    In a cell cut by the picture's edge the pale middle may be open to the edge; its hull closes it.
    """
    plane = flags.view(np.uint8)
    if not cut and len(cv2.findContoursLinkRuns(plane)[0]) == 1:
        # One contour, where holes have contours too: nothing to leave out and nothing to fill, as in most cells.
        return flags
    contours, _ = cv2.findContours(plane, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(flags.shape, dtype=np.uint8)
    if contours:
        largest = max(contours, key=cv2.contourArea)
        cv2.drawContours(filled, [cv2.convexHull(largest) if cut else largest], -1, 1, cv2.FILLED)
    return filled.view(np.bool_)
