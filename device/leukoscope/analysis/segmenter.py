"""Finds every cell of a micrograph and draws its outline."""

import numpy as np

from leukoscope.analysis.blocks import find_in_blocks
from leukoscope.analysis.outlines import BORDER_UM, KINDS, outline_cells
from leukoscope.analysis.peaks import Boxes, find_boxes, unpack_mask
from leukoscope.analysis.tiling import run_tiled, tile_side
from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.network import Network
from leukoscope.optics.resampling import resample
from leukoscope.specimen.cell import CellInstance
from leukoscope.specimen.frame import Micrograph
from leukoscope.system.pixels_in_file import copied, is_in_file

MOST_TILE_PX = 1024
"""Larger pictures are cut even for a network that takes any: memory grows with the tile. No camera's field at 1000x
comes near it."""
MOST_AT_ONCE_PX = 5_200_000
"""Larger pictures, in pixels at the network's scale, are examined in blocks. A camera of 12 megapixels at 1000x stays
below it."""
BLOCK_SIDE_UM = 270.0


class Segmenter:
    """A segmenting network and how to read its answer."""

    def __init__(self, bundle: Bundle, network: Network) -> None:
        facts = bundle.manifest.segmenter
        if facts is None:
            raise BundleError(
                f"bundle {bundle.manifest.name} is a {bundle.manifest.kind}, a segmenter was expected",
                "check models.segmenter in the settings",
            )
        self._facts = facts
        self._input = bundle.manifest.input
        self._network = network
        self._inside = np.array([facts.thresholds[kind.value] for kind in KINDS])
        self._at_edge = np.array(
            [facts.edge_thresholds.get(kind.value, facts.thresholds[kind.value]) for kind in KINDS]
        )

    def find_cells(self, micrograph: Micrograph) -> tuple[CellInstance, ...]:
        """Every cell, those cut by the border included, best score first.

        Args:
            micrograph: of any size and scale; it is resampled to the network's scale.
        """
        rows, cols = micrograph.pixels.shape[:2]
        if rows * cols * (micrograph.um_per_px / self._input.um_per_px) ** 2 > MOST_AT_ONCE_PX:
            side_px = max(1, round(BLOCK_SIDE_UM / micrograph.um_per_px))
            return find_in_blocks(micrograph, self._find_at_once, side_px)
        return self._find_at_once(micrograph)

    def _find_at_once(self, micrograph: Micrograph) -> tuple[CellInstance, ...]:
        # A copy, gone before the network takes its memory: of a file whole rows would be read for a few columns.
        seen = copied(micrograph.pixels) if is_in_file(micrograph.pixels) else micrograph.pixels
        small, factor = resample(seen, micrograph.um_per_px / self._input.um_per_px)
        del seen
        margin_px = round(self._facts.margin_um / self._input.um_per_px)
        rows, cols = small.shape[:2]
        tile = self._input.rows, self._input.cols
        if (multiple := self._facts.side_multiple_px) is not None:
            most = max(MOST_TILE_PX, *tile)
            tile = tile_side(rows, multiple, margin_px, most), tile_side(cols, multiple, margin_px, most)
        maps = run_tiled(self._network, small, tile=tile, stride=self._facts.stride, margin_px=margin_px)
        lowest = np.minimum(self._inside, self._at_edge).tolist()
        found = find_boxes(maps["heat"], maps["box"], thresholds=lowest, stride=self._facts.stride)
        found = self._above_thresholds(found, (small.shape[0], small.shape[1]))
        logits = unpack_mask(maps["mask"]).transpose(2, 0, 1)
        return outline_cells(found, logits, factor, micrograph)

    def _above_thresholds(self, found: Boxes, shape: tuple[int, int]) -> Boxes:
        """Boxes clipped to the picture, whose middle lies in it and whose score suffices where they are."""
        rows, cols = shape
        ymin, ymax = np.clip(found.ymin, 0, rows), np.clip(found.ymax, 0, rows)
        xmin, xmax = np.clip(found.xmin, 0, cols), np.clip(found.xmax, 0, cols)
        near = BORDER_UM / self._input.um_per_px
        cut = (ymin <= near) | (xmin <= near) | (ymax >= rows - near) | (xmax >= cols - near)
        enough = found.score >= np.where(cut, self._at_edge[found.kind], self._inside[found.kind])
        good = enough & (ymax - ymin > 2) & (xmax - xmin > 2)
        return Boxes(found.kind[good], found.score[good], xmin[good], ymin[good], xmax[good], ymax[good])
