from dataclasses import replace

import numpy as np
import pytest

from leukoscope.counting.detections import detections_of
from leukoscope.specimen.cell import CellKind
from tests.drawings import cell, counted

ROWS, COLS, SIDE = 240, 320, 36


@pytest.mark.parametrize(
    ("row_end", "col_end", "in_frame"),
    [
        (ROWS - 2, 200, True),
        (ROWS - 1, 200, False),
        (ROWS, 200, False),
        (200, COLS - 2, True),
        (200, COLS - 1, False),
        (200, COLS, False),
    ],
)
def test_a_cell_at_the_border_that_ends_within_a_pixel_of_the_right_or_lower_edge_is_cut_there(
    row_end: int, col_end: int, in_frame: bool
) -> None:
    cut = cell(row=row_end - SIDE, col=col_end - SIDE, side=SIDE, touches_border=True)
    (detection,) = detections_of(counted(cut), 1)
    assert detection.in_frame is in_frame


def test_a_whole_cell_is_in_the_frame_wherever_it_lies() -> None:
    whole = cell(row=ROWS - SIDE, col=COLS - SIDE, side=SIDE)
    (detection,) = detections_of(counted(whole), 1)
    assert detection.in_frame


@pytest.mark.parametrize("kind", list(CellKind))
def test_a_cell_that_others_hide_to_its_last_pixel_is_counted_and_not_measured(kind: CellKind) -> None:
    seen = cell(kind, row=40, col=40, side=SIDE)
    hidden = replace(seen, instance=replace(seen.instance, outline=np.zeros((SIDE, SIDE), np.bool_), area_um2=0.0))
    (detection,) = detections_of(counted(hidden), 1)
    assert detection.in_frame
    assert not detection.whole
    assert not detection.irregular
