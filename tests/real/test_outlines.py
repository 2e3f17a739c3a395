"""How well the bundle outlines white cells and their nuclei on real pictures; `tools/evaluate.py` takes all of them."""

import pytest

from evaluation.outlines import Drawn, MaskedPicture, dice, draw_by_network, draw_by_otsu, read_masks, score_outlines
from evaluation.tables import data_folder
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.cameras.pictures import read_picture
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.system.assets import find_asset
from tests.drawings import micrograph_of

DATA = data_folder()
pytestmark = pytest.mark.skipif(DATA is None, reason="the labelled pictures are not here: set LEUKOSCOPE_DATA")


def _pictures(name: str, step: int) -> list[MaskedPicture]:
    assert DATA is not None
    return read_masks(DATA, name, "val")[::step]


def _by_network() -> Segmenter:
    bundle = Bundle.read(find_asset("models", "segmenter"))
    return Segmenter(bundle, OnnxSettings(threads=1).open(bundle))


@pytest.mark.parametrize(
    ("name", "step", "of_cell", "of_nucleus"), [("krd_wbc", 4, 0.91, 0.0), ("seg_wbc", 2, 0.96, 0.91)]
)
def test_white_cells_and_nuclei_are_drawn_where_people_drew_them(
    name: str, step: int, of_cell: float, of_nucleus: float
) -> None:
    segmenter = _by_network()

    def draw(picture: MaskedPicture) -> Drawn:
        return draw_by_network(segmenter, micrograph_of(read_picture(picture.path), picture.um_per_px))

    cell, nucleus = score_outlines(_pictures(name, step), draw)
    assert cell.mean_of_found >= of_cell
    assert cell.missed <= 2
    if of_nucleus:
        assert nucleus.mean >= of_nucleus


def test_the_network_draws_better_than_a_threshold() -> None:
    segmenter = _by_network()
    for picture in _pictures("krd_wbc", 20):
        truth, pixels = picture.truth(), read_picture(picture.path)
        ours = draw_by_network(segmenter, micrograph_of(pixels, picture.um_per_px))
        assert dice(ours.cell, truth.cell) > dice(draw_by_otsu(pixels).cell, truth.cell)
