from itertools import count

import pytest

from leukoscope.counting.detections import detections_of
from leukoscope.counting.mosaic import Mosaic, View
from leukoscope.specimen.cell import CellKind, Decision
from tests.drawings import cell, counted

SIDE = 36


def cells_after_two_views(shift: int, second: CellKind) -> int:
    """How many cells a patch has when one box is seen again so many pixels beside its place."""
    mosaic = Mosaic(0.2, lambda shares: Decision("rbc", 1.0, ()), count(1))
    for number, (col, kind) in enumerate(((100, CellKind.RBC), (100 + shift, second)), start=1):
        field = counted(cell(kind, row=100, col=col, side=SIDE))
        mosaic.add(View(0, 0, 240, 320, detections_of(field, number)))
    return len(mosaic.numbers)


@pytest.mark.parametrize(
    ("shift", "second", "cells"),
    [
        # Two squares of side s, shifted by d, overlap by (s - d) / (s + d) of what they cover together.
        pytest.param(16, CellKind.RBC, 1, id="one kind, 0.38 shared"),
        pytest.param(22, CellKind.RBC, 2, id="one kind, 0.24 shared"),
        pytest.param(11, CellKind.PLATELET, 1, id="two kinds, 0.53 shared"),
        pytest.param(13, CellKind.PLATELET, 2, id="two kinds, 0.47 shared"),
    ],
)
def test_boxes_are_one_cell_from_three_tenths_of_overlap_and_from_half_between_kinds(
    shift: int, second: CellKind, cells: int
) -> None:
    assert cells_after_two_views(shift, second) == cells
