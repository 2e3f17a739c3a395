"""Draws the outline of every cell that was found, so that no pixel belongs to two of them."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.analysis.centres import Boxes
from leukoscope.analysis.nucleus import draw_nucleus
from leukoscope.analysis.sharpening import Edge, part, stain_density
from leukoscope.specimen.cell import Box, CellInstance, CellKind
from leukoscope.specimen.frame import Micrograph

KINDS = (CellKind.RBC, CellKind.WBC, CellKind.PLATELET)
"""In the order of the network's heat channels."""
MASK_STRIDE = 2
"""Network pixels per mask pixel."""
ANY_CELL, WHITE_CELL, NUCLEUS = 0, 1, 2
"""Mask planes."""
WHITE_EDGE = Edge(limit=0.60, colour_weight=0.25)
"""Chosen on the validation split: the network alone draws white cells a twentieth too large."""
SEEN_AROUND_UM = 1.5
"""How far around a white cell's box the picture teaches what does not belong to it."""
BORDER_UM = 0.3
"""A cell whose box comes this close to the picture's edge is cut by it."""
MIN_FILL = 0.35
"""An outline that fills less of the box's ellipse than this is not believed; the ellipse stands in."""
REACH = 1.2
"""How far an outline may lie outside the box's ellipse, as squared distance in half-axes: cells are not ellipses."""
MIN_SIDE_UM = 0.8
"""A box narrower than this is no cell: the smallest platelets measure about 1.5 µm."""


def outline_cells(
    found: Boxes, masks: NDArray[np.float32], factor: tuple[float, float], micrograph: Micrograph
) -> tuple[CellInstance, ...]:
    """Outline and measure every cell.

    Args:
        found: boxes in network pixels.
        masks: probability of any cell, white cell and nucleus, shape (3, rows, cols), contiguous: OpenCV
            would copy a whole plane that is not, once per cell.
        factor: micrograph pixels per network pixel (rows, cols).
        micrograph: the picture they were found in.
    """
    rows, cols = micrograph.pixels.shape[:2]
    scale = np.array([factor[1], factor[0], factor[1], factor[0]], dtype=np.float32)
    corners = found.corners() * scale
    neighbours = _overlapping(corners)
    from_middle = _FromMiddle(corners, rows, cols)
    cells = []
    for index, (xmin, ymin, xmax, ymax) in enumerate(corners):
        box = Box(
            row=max(0, math.floor(ymin + 0.5)),
            col=max(0, math.floor(xmin + 0.5)),
            row_end=min(rows, math.floor(ymax + 0.5)),
            col_end=min(cols, math.floor(xmax + 0.5)),
        )
        if min(box.height, box.width) * micrograph.um_per_px < MIN_SIDE_UM:
            continue
        kind = KINDS[found.kind[index]]
        own = from_middle.of(index, box)
        owned = np.ones(own.shape, dtype=np.bool_)
        for other in neighbours[index]:
            # Shared pixels go to the cell whose middle is nearer, in units of its own size.
            distance = from_middle.of(other, box)
            owned &= own <= distance if index < other else own < distance
        white = _WhiteCell(box, masks, factor, micrograph) if kind is CellKind.WBC else None
        cell = white.cell if white else _sample(masks[ANY_CELL], box, factor) > 0.5
        whole = _one_piece(cell & owned & (own < REACH), own, cut=_is_cut(box, micrograph)) & owned
        nucleus = white.nucleus_in(whole) if white else None
        cells.append(_measure(kind, float(found.score[index]), box, whole, nucleus, micrograph))
    return tuple(cells)


class _WhiteCell:
    """What the network and the picture say about the pixels of one white cell's box."""

    def __init__(
        self, box: Box, masks: NDArray[np.float32], factor: tuple[float, float], micrograph: Micrograph
    ) -> None:
        self._um_per_px = micrograph.um_per_px
        around = _grown(box, math.ceil(SEEN_AROUND_UM / self._um_per_px), micrograph)
        inner = np.s_[box.row - around.row : box.row_end - around.row, box.col - around.col : box.col_end - around.col]
        pixels = micrograph.pixels[around.row : around.row_end, around.col : around.col_end]
        density = stain_density(pixels, self._um_per_px)
        share = _sample(masks[WHITE_CELL], around, factor)
        self.cell = part(share, density, WHITE_EDGE, self._um_per_px)[inner]
        self._density = density[inner]
        self._nucleus_share = _sample(masks[NUCLEUS], box, factor)

    def nucleus_in(self, outline: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The nucleus, inside an outline of the box's shape."""
        return draw_nucleus(self._nucleus_share, self._density, outline, self._um_per_px)


def _grown(box: Box, by: int, micrograph: Micrograph) -> Box:
    rows, cols = micrograph.pixels.shape[:2]
    return Box(max(0, box.row - by), max(0, box.col - by), min(rows, box.row_end + by), min(cols, box.col_end + by))


def _overlapping(corners: NDArray[np.float32]) -> list[NDArray[np.intp]]:
    """For each box the indices of the others that share area with it."""
    low = np.maximum(corners[:, None, :2], corners[None, :, :2])
    high = np.minimum(corners[:, None, 2:], corners[None, :, 2:])
    shares = (high[..., 0] > low[..., 0]) & (high[..., 1] > low[..., 1])
    np.fill_diagonal(shares, False)
    one, other = np.nonzero(shares)
    return np.split(other, np.searchsorted(one, np.arange(1, len(corners))))


class _FromMiddle:
    """Squared distance from each cell's middle in units of its half-axes: a part by row and a part by column."""

    def __init__(self, corners: NDArray[np.float32], rows: int, cols: int) -> None:
        sides = corners.astype(np.float64)
        self._by_col = _squared(sides[:, 0], sides[:, 2], cols)
        self._by_row = _squared(sides[:, 1], sides[:, 3], rows)

    def of(self, index: int, box: Box) -> NDArray[np.float32]:
        """One cell's, at each pixel of `box`."""
        return self._by_row[index, box.row : box.row_end, None] + self._by_col[index, None, box.col : box.col_end]


def _squared(low: NDArray[np.float64], high: NDArray[np.float64], length: int) -> NDArray[np.float32]:
    middle, half = ((low + high) / 2).astype(np.float32), ((high - low) / 2).astype(np.float32)
    places = np.arange(length, dtype=np.float32) + np.float32(0.5)
    return np.asarray(((places - middle[:, None]) / half[:, None]) ** 2, dtype=np.float32)


def _sample(plane: NDArray[np.float32], box: Box, factor: tuple[float, float]) -> NDArray[np.float32]:
    """A mask plane, bilinearly, at the pixels of a box of the micrograph."""
    row = (np.arange(box.row, box.row_end, dtype=np.float32) + 0.5) / (factor[0] * MASK_STRIDE) - 0.5
    col = (np.arange(box.col, box.col_end, dtype=np.float32) + 0.5) / (factor[1] * MASK_STRIDE) - 0.5
    map_row, map_col = np.empty((2, len(row), len(col)), dtype=np.float32)
    map_row[:], map_col[:] = row[:, None], col
    sampled = cv2.remap(plane, map_col, map_row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, dtype=np.float32)


def _one_piece(outline: NDArray[np.bool_], own: NDArray[np.float32], *, cut: bool) -> NDArray[np.bool_]:
    """The largest piece of an outline with its holes filled: a red cell's pale middle is cell.

    In a cell cut by the picture's edge the pale middle may be open to the edge; its hull closes it.
    """
    contours, _ = cv2.findContours(outline.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    ellipse = own < 1
    if contours:
        largest = max(contours, key=cv2.contourArea)
        filled = np.zeros(outline.shape, dtype=np.uint8)
        cv2.drawContours(filled, [cv2.convexHull(largest) if cut else largest], -1, 1, cv2.FILLED)
        if cv2.countNonZero(filled) >= MIN_FILL * np.count_nonzero(ellipse):
            return filled.view(np.bool_)
    return ellipse


def _is_cut(box: Box, micrograph: Micrograph) -> bool:
    """Whether a box reaches the picture's edge."""
    rows, cols = micrograph.pixels.shape[:2]
    near = BORDER_UM / micrograph.um_per_px
    return bool(min(box.row, box.col, rows - box.row_end, cols - box.col_end) <= near)


def _measure(
    kind: CellKind,
    score: float,
    box: Box,
    outline: NDArray[np.bool_],
    nucleus: NDArray[np.bool_] | None,
    micrograph: Micrograph,
) -> CellInstance:
    area_um2 = float(np.count_nonzero(outline)) * micrograph.um_per_px**2
    return CellInstance(
        kind=kind,
        confidence=score,
        box=box,
        outline=outline,
        nucleus=nucleus,
        area_um2=area_um2,
        diameter_um=2 * math.sqrt(area_um2 / math.pi),
        touches_border=_is_cut(box, micrograph),
    )
