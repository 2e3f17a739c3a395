"""Finds every cell of a micrograph and draws its outline."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.analysis.centres import Boxes, find_boxes, unpack_mask
from leukoscope.analysis.tiles import run_tiled
from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.network import Network
from leukoscope.specimen.cell import Box, CellInstance, CellKind
from leukoscope.specimen.frame import Micrograph

KINDS = (CellKind.RBC, CellKind.WBC, CellKind.PLATELET)
"""In the order of the network's heat channels."""
MASK_STRIDE = 2
"""Network pixels per mask pixel."""
ANY_CELL, WHITE_CELL = 0, 1
"""Mask planes."""
BORDER_UM = 0.3
"""A cell whose box comes this close to the picture's edge is cut by it."""
MIN_FILL = 0.35
"""An outline that fills less of the box's ellipse than this is not believed; the ellipse stands in."""
REACH = 1.2
"""How far an outline may lie outside the box's ellipse, as squared distance in half-axes: cells are not ellipses."""
MIN_SIDE_UM = 0.8
"""A box narrower than this is no cell: the smallest platelets measure about 1.5 µm."""


class Segmenter:
    """A segmenting network and how to read its answer."""

    def __init__(self, bundle: Bundle, network: Network) -> None:
        facts = bundle.manifest.segmenter
        if facts is None:
            raise BundleError(
                f"bundle {bundle.manifest.name} is a {bundle.manifest.kind}, a segmenter was expected: "
                "check models.segmenter in the settings"
            )
        self._facts = facts
        self._input = bundle.manifest.input
        self._network = network
        self._thresholds = tuple(facts.thresholds[kind.value] for kind in KINDS)

    def find_cells(self, micrograph: Micrograph) -> tuple[CellInstance, ...]:
        """Every cell, those cut by the border included, best score first.

        Args:
            micrograph: of any size and scale; it is resampled to the network's scale.
        """
        small, factor = self._resample(micrograph)
        maps = run_tiled(
            self._network,
            small,
            tile=(self._input.rows, self._input.cols),
            stride=self._facts.stride,
            margin_px=round(self._facts.margin_um / self._input.um_per_px),
        )
        found = find_boxes(maps["heat"], maps["box"], thresholds=self._thresholds, stride=self._facts.stride)
        found = _inside(found, (small.shape[0], small.shape[1]))
        masks = np.asarray(1 / (1 + np.exp(-unpack_mask(maps["mask"]))), dtype=np.float32)
        return _outline_all(found, masks, factor, micrograph)

    def _resample(self, micrograph: Micrograph) -> tuple[NDArray[np.uint8], tuple[float, float]]:
        """The picture at the network's scale, and micrograph pixels per network pixel (rows, cols)."""
        wanted = micrograph.um_per_px / self._input.um_per_px
        rows, cols = micrograph.pixels.shape[:2]
        size = max(1, round(rows * wanted)), max(1, round(cols * wanted))
        how = cv2.INTER_AREA if wanted < 1 else cv2.INTER_LINEAR
        small = cv2.resize(micrograph.pixels, (size[1], size[0]), interpolation=how)
        return np.asarray(small, dtype=np.uint8), (rows / size[0], cols / size[1])


def _inside(found: Boxes, shape: tuple[int, int]) -> Boxes:
    """Boxes clipped to the picture, without those whose middle lies in the padding."""
    rows, cols = shape
    ymin, ymax = np.clip(found.ymin, 0, rows), np.clip(found.ymax, 0, rows)
    xmin, xmax = np.clip(found.xmin, 0, cols), np.clip(found.xmax, 0, cols)
    good = (ymax - ymin > 2) & (xmax - xmin > 2)
    return Boxes(found.kind[good], found.score[good], xmin[good], ymin[good], xmax[good], ymax[good])


def _outline_all(
    found: Boxes, masks: NDArray[np.float32], factor: tuple[float, float], micrograph: Micrograph
) -> tuple[CellInstance, ...]:
    rows, cols = micrograph.pixels.shape[:2]
    scale = np.array([factor[1], factor[0], factor[1], factor[0]], dtype=np.float32)
    corners = found.corners() * scale
    neighbours = _overlapping(corners)
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
        plane = masks[..., WHITE_CELL if kind is CellKind.WBC else ANY_CELL]
        own = _ellipse_distance(corners[index], box)
        owned = np.ones(own.shape, dtype=np.bool_)
        for other in neighbours[index]:
            # Shared pixels go to the cell whose middle is nearer, in units of its own size.
            distance = _ellipse_distance(corners[other], box)
            owned &= own <= distance if index < other else own < distance
        inside = (_sample(plane, box, factor) > 0.5) & owned & (own < REACH)
        whole = _one_piece(inside, own, cut=_is_cut(box, micrograph)) & owned
        cells.append(_measure(kind, float(found.score[index]), box, whole, micrograph))
    return tuple(cells)


def _overlapping(corners: NDArray[np.float32]) -> list[NDArray[np.intp]]:
    """For each box the indices of the others that share area with it."""
    low = np.maximum(corners[:, None, :2], corners[None, :, :2])
    high = np.minimum(corners[:, None, 2:], corners[None, :, 2:])
    shares = np.all(high > low, axis=2)
    return [np.flatnonzero(row & (np.arange(len(corners)) != index)) for index, row in enumerate(shares)]


def _ellipse_distance(corners: NDArray[np.float32], box: Box) -> NDArray[np.float32]:
    """Squared distance from the middle of `corners` in units of its half-axes, at each pixel of `box`."""
    xmin, ymin, xmax, ymax = (float(side) for side in corners)
    row = (np.arange(box.row, box.row_end, dtype=np.float32) + 0.5 - (ymin + ymax) / 2) / ((ymax - ymin) / 2)
    col = (np.arange(box.col, box.col_end, dtype=np.float32) + 0.5 - (xmin + xmax) / 2) / ((xmax - xmin) / 2)
    return np.asarray(row[:, None] ** 2 + col[None, :] ** 2, dtype=np.float32)


def _sample(plane: NDArray[np.float32], box: Box, factor: tuple[float, float]) -> NDArray[np.float32]:
    """A mask plane, bilinearly, at the pixels of a box of the micrograph."""
    row = (np.arange(box.row, box.row_end, dtype=np.float32) + 0.5) / (factor[0] * MASK_STRIDE) - 0.5
    col = (np.arange(box.col, box.col_end, dtype=np.float32) + 0.5) / (factor[1] * MASK_STRIDE) - 0.5
    map_col, map_row = np.meshgrid(col, row)
    sampled = cv2.remap(plane, map_col, map_row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, dtype=np.float32)


def _one_piece(outline: NDArray[np.bool_], own: NDArray[np.float32], *, cut: bool) -> NDArray[np.bool_]:
    """The largest piece of an outline with its holes filled: a red cell's pale middle is cell.

    In a cell cut by the picture's edge the pale middle may be open to the edge; its hull closes it.
    """
    contours, _ = cv2.findContours(outline.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    ellipse = own < 1
    if contours:
        largest = max(contours, key=cv2.contourArea)
        filled = np.zeros(outline.shape, dtype=np.uint8)
        cv2.drawContours(filled, [cv2.convexHull(largest) if cut else largest], -1, 1, cv2.FILLED)
        if filled.sum() >= MIN_FILL * ellipse.sum():
            return filled.astype(np.bool_)
    return ellipse


def _is_cut(box: Box, micrograph: Micrograph) -> bool:
    """Whether a box reaches the picture's edge."""
    rows, cols = micrograph.pixels.shape[:2]
    near = BORDER_UM / micrograph.um_per_px
    return bool(min(box.row, box.col, rows - box.row_end, cols - box.col_end) <= near)


def _measure(
    kind: CellKind, score: float, box: Box, outline: NDArray[np.bool_], micrograph: Micrograph
) -> CellInstance:
    area_um2 = float(outline.sum()) * micrograph.um_per_px**2
    return CellInstance(
        kind=kind,
        confidence=score,
        box=box,
        outline=outline,
        area_um2=area_um2,
        diameter_um=2 * math.sqrt(area_um2 / math.pi),
        touches_border=_is_cut(box, micrograph),
    )
