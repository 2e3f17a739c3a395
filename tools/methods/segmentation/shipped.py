"""The segmenter that ships."""

import numpy as np

from methods.device import CellKind, Pixels, Segmenter
from methods.kinds import Parts, Segmentation
from methods.micrographs import micrograph_from


def find(pixels: Pixels, um_per_px: float, segmenter: Segmenter) -> Parts:
    """Every white cell with its nucleus, and the boxes of red cells."""
    white, nucleus = (np.zeros(pixels.shape[:2], np.bool_) for _ in range(2))
    red = []
    for cell in segmenter.find_cells(micrograph_from(pixels, um_per_px)):
        box = np.s_[cell.box.row : cell.box.row_end, cell.box.col : cell.box.col_end]
        if cell.kind is CellKind.WBC and cell.nucleus is not None:
            white[box] |= cell.outline
            nucleus[box] |= cell.nucleus
        elif cell.kind is CellKind.RBC:
            red.append(cell.box.as_xyxy())
    return Parts(white, nucleus, red)


METHOD = Segmentation("leukoscope's segmenter", "models/segmenter/CARD.md", find, um_per_px=0.0, networks=True)
