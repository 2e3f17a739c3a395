"""A picture larger than any camera's field is examined block by block: the same cells, little memory."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from leukoscope.analysis import segmenter as at_work
from leukoscope.analysis.blocks import find_in_blocks
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.inference.network import Outputs
from leukoscope.specimen.cell import Box, CellInstance
from leukoscope.specimen.frame import Micrograph
from tests.analysis.test_segmenter import DARK, DiscNetwork
from tests.bundles import segmenter_bundle
from tests.drawings import cell, discs, micrograph_of

RADIUS = 18.0
ROWS, COLS = 900, 1300

PEAK = """
import numpy as np
from pathlib import Path
from leukoscope.analysis.segmenter import Segmenter
from tests.analysis.test_segmenter import DiscNetwork
from tests.bundles import segmenter_bundle
from tests.drawings import micrograph_of
def peak_mib():
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024
segmenter = Segmenter(segmenter_bundle(), DiscNetwork([], 18.0))
# What the libraries take when they are first used is no part of a picture.
segmenter.find_cells(micrograph_of(np.full((500, 500, 3), 230, np.uint8), 0.127))
picture = np.full((7070, 7070, 3), 230, np.uint8)
before = peak_mib()
assert segmenter.find_cells(micrograph_of(picture, 0.127)) == ()
print(peak_mib() - before)
"""


class SeeingNetwork(DiscNetwork):
    """Finds the discs of a tile by itself, those that the tile cuts too."""

    def run(self, picture: NDArray[np.uint8]) -> Outputs:
        _, _, _, middles = cv2.connectedComponentsWithStats((picture[..., 0] < DARK).astype(np.uint8))
        self.centres = [(row, col) for col, row in middles[1:].tolist()]
        return super().run(picture)


def places() -> list[tuple[float, float]]:
    """Discs that do not touch, a grid shaken by chance, so that some lie on every seam."""
    rng = np.random.default_rng(3)
    grid = [(row, col) for row in range(20, ROWS, 50) for col in range(20, COLS, 50)]
    return [(row + float(rng.uniform(-5, 5)), col + float(rng.uniform(-5, 5))) for row, col in grid]


def boxes(cells: tuple[CellInstance, ...]) -> NDArray[np.int64]:
    corners = [(*cell.box.as_xyxy(), cell.touches_border) for cell in cells]
    return np.array(sorted(corners, key=lambda box: (box[1] // 25, box[0])))


@pytest.mark.parametrize("block_um", [37.0, 60.0, 100.0])
def test_blocks_find_the_cells_that_the_whole_picture_shows(monkeypatch: pytest.MonkeyPatch, block_um: float) -> None:
    monkeypatch.setattr(at_work, "BLOCK_SIDE_UM", block_um)
    picture = micrograph_of(discs(places(), size=(ROWS, COLS), radius=RADIUS), 0.2)
    segmenter = Segmenter(segmenter_bundle(), SeeingNetwork([], RADIUS))
    whole = boxes(segmenter.find_cells(picture))
    monkeypatch.setattr(at_work, "MOST_AT_ONCE_PX", 100_000)
    in_blocks = boxes(segmenter.find_cells(picture))
    assert len(whole) == len(places())
    assert in_blocks.shape == whole.shape
    assert np.abs(in_blocks - whole).max() <= 1


def test_a_cell_that_two_blocks_place_on_either_side_of_their_seam_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = micrograph_of(discs([(100.0, 300.0)], size=(200, 600), radius=RADIUS), 0.2)
    segmenter = Segmenter(segmenter_bundle(), SeeingNetwork([], RADIUS))
    assert len(find_in_blocks(picture, segmenter.find_cells, 300)) == 1


def test_the_largest_picture_takes_no_more_memory_than_a_field() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PEAK], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    # At once it took 297 MiB.
    assert float(done.stdout) < 60


def test_a_platelet_on_a_red_cell_at_a_seam_is_found_once_and_not_taken_for_it() -> None:
    um_per_px, row = 0.2, 100
    red, platelet = ((col, cell(side=side).instance) for col, side in ((201, 36), (203, 12)))
    pixels = np.full((200, 400, 3), 230, np.uint8)
    for col, _ in (red, platelet):
        pixels[row, col] = 0

    def find(micrograph: Micrograph) -> tuple[CellInstance, ...]:
        found = []
        for at_row, at_col in np.argwhere(micrograph.pixels[..., 0] == 0).tolist():
            instance = red[1] if (micrograph.pixels[at_row, : at_col + 1, 0] == 0).sum() == 1 else platelet[1]
            top, left = at_row - instance.box.height // 2, at_col - instance.box.width // 2
            box = Box(top, left, top + instance.box.height, left + instance.box.width)
            found.append(replace(instance, box=box))
        return tuple(found)

    found = find_in_blocks(micrograph_of(pixels, um_per_px), find, 200)
    assert sorted((one.box.width, one.box.centre) for one in found) == [(12, (100.0, 203.0)), (36, (100.0, 201.0))]
