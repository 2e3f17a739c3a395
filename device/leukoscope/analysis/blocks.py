"""A picture larger than any camera's field, examined block by block: memory grows with the block, not the picture."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

from leukoscope.specimen.cell import Box, CellInstance
from leukoscope.specimen.frame import Micrograph
from leukoscope.system.pixels_in_file import let_go

AROUND_UM = 40.0
"""How far a block sees beyond the part it answers for: more than the largest cell measures."""
SEAM_UM = 1.0
"""Two blocks may place one cell's middle so far apart; within it both keep the cell, and the second one is dropped."""
SAME_CELL_IOU = 0.5
"""Boxes of two blocks whose intersection over union is above this are one cell; a platelet that lies on a red cell
shares far less with it."""

Find = Callable[[Micrograph], tuple[CellInstance, ...]]


def find_in_blocks(micrograph: Micrograph, find: Find, most_side_px: int) -> tuple[CellInstance, ...]:
    """Every cell of a picture, best score first, each found by the block in which its middle lies.

    Args:
        micrograph: of any size.
        find: finds the cells of a block.
        most_side_px: longest side of the part that a block answers for, in pixels of the picture.
    """
    rows, cols = micrograph.pixels.shape[:2]
    around = round(AROUND_UM / micrograph.um_per_px)
    seam = SEAM_UM / micrograph.um_per_px
    cells: list[CellInstance] = []
    at_seams: list[Box] = []
    """Kept at the seams of the blocks before this one."""
    for (top, bottom), (left, right) in itertools.product(_parts(rows, most_side_px), _parts(cols, most_side_px)):
        first_row, first_col = max(0, top - around), max(0, left - around)
        seen = micrograph.pixels[first_row : bottom + around, first_col : right + around]
        own: list[Box] = []
        for cell in find(replace(micrograph, pixels=seen)):
            box = _moved(cell.box, first_row, first_col)
            row, col = box.centre
            inside = min(row - top, bottom - row, col - left, right - col)
            if inside < -seam:
                continue
            if inside < 3 * seam:
                # The other block may have kept it, or will.
                if any(_are_one(box, other) for other in at_seams):
                    continue
                own.append(box)
            cells.append(replace(cell, box=box))
        at_seams += own
        let_go(micrograph.pixels)
    return tuple(sorted(cells, key=lambda cell: -cell.confidence))


def _parts(length: int, most: int) -> Iterator[tuple[int, int]]:
    """Even steps of a side, none longer than `most`."""
    count = -(-length // most)
    return itertools.pairwise(round(number * length / count) for number in range(count + 1))


def _moved(box: Box, rows: int, cols: int) -> Box:
    return Box(box.row + rows, box.col + cols, box.row_end + rows, box.col_end + cols)


def _are_one(box: Box, other: Box) -> bool:
    height = min(box.row_end, other.row_end) - max(box.row, other.row)
    width = min(box.col_end, other.col_end) - max(box.col, other.col)
    shared = max(0, height) * max(0, width)
    return shared > SAME_CELL_IOU * (box.height * box.width + other.height * other.width - shared)
