import numpy as np
import pytest
from numpy.typing import NDArray

from leukoscope.analysis.segmenter import Segmenter
from leukoscope.errors import BundleError
from leukoscope.inference.network import Outputs
from leukoscope.specimen.cell import CellInstance, CellKind
from tests.bundles import classifier_bundle, segmenter_bundle
from tests.drawings import discs, micrograph_of

DARK = 160
"""Grey level below which a pixel of the drawn discs is cell."""


class DiscNetwork:
    """Answers as a perfect network would for discs drawn at known places (row, col) of the tile."""

    engine: str = "drawn"

    def __init__(self, centres: list[tuple[float, float]], radius: float, kind: int = 0) -> None:
        self.centres, self.radius, self.kind = centres, radius, kind

    def run(self, picture: NDArray[np.uint8]) -> Outputs:
        rows, cols = picture.shape[0] // 4, picture.shape[1] // 4
        heat = np.full((rows, cols, 3), -9.0, np.float32)
        box = np.zeros((rows, cols, 4), np.float32)
        for row, col in self.centres:
            at = int(row // 4), int(col // 4)
            heat[(*at, self.kind)] = 3.0
            dy, dx = row - (at[0] + 0.5) * 4, col - (at[1] + 0.5) * 4
            sides = (self.radius - dx, self.radius - dy, self.radius + dx, self.radius + dy)
            box[at] = np.array(sides) / 16
        cell = (picture[..., 0] < DARK).reshape(picture.shape[0] // 2, 2, picture.shape[1] // 2, 2).mean((1, 3))
        logits = np.where(cell > 0.5, 4.0, -4.0).reshape(rows, 2, cols, 2).transpose(0, 2, 1, 3)
        mask = np.repeat(logits[:, :, None], 3, axis=2).reshape(rows, cols, 12)
        return {"heat": heat, "box": box, "mask": mask.astype(np.float32)}


def found(centres: list[tuple[float, float]], *, um_per_px: float = 0.2, kind: int = 0) -> tuple[CellInstance, ...]:
    """Cells in a picture of discs given in network pixels (0.2 µm), drawn at another scale."""
    zoom = 0.2 / um_per_px
    picture = discs(
        [(row * zoom, col * zoom) for row, col in centres],
        size=(round(240 * zoom), round(320 * zoom)),
        radius=18 * zoom,
    )
    segmenter = Segmenter(segmenter_bundle(), DiscNetwork(centres, 18.0, kind))
    return segmenter.find_cells(micrograph_of(picture, um_per_px))


@pytest.mark.parametrize("um_per_px", [0.2, 0.1, 0.0706, 0.4])
def test_a_disc_is_found_with_its_true_place_and_size_at_any_scale(um_per_px: float) -> None:
    (cell,) = found([(101.0, 153.0)], um_per_px=um_per_px)
    assert cell.kind is CellKind.RBC
    assert cell.diameter_um == pytest.approx(7.2, rel=0.04)
    row, col = cell.box.centre
    assert (row * um_per_px, col * um_per_px) == pytest.approx((101.0 * 0.2, 153.0 * 0.2), abs=0.25)
    assert not cell.touches_border


def test_overlapping_discs_share_no_pixel_and_lose_none() -> None:
    cells = found([(100, 100), (100, 128)])
    owners = np.zeros((240, 320), int)
    for cell in cells:
        box = cell.box
        owners[box.row : box.row_end, box.col : box.col_end] += cell.outline
    drawn = discs([(100, 100), (100, 128)])[..., 0] < DARK
    assert len(cells) == 2
    assert owners.max() == 1
    assert (owners.astype(bool) & drawn).sum() / drawn.sum() > 0.95


def test_a_disc_cut_by_the_edge_says_so() -> None:
    assert found([(6.0, 100.0)])[0].touches_border


def test_a_centre_in_the_padding_is_no_cell() -> None:
    assert found([(300.0, 100.0)]) == ()


def test_a_white_cell_keeps_its_kind_and_has_a_nucleus_of_its_outlines_shape() -> None:
    (cell,) = found([(100, 100)], kind=1)
    assert cell.kind is CellKind.WBC
    assert cell.nucleus is not None
    assert cell.nucleus.shape == cell.outline.shape
    assert 0 < cell.nucleus.sum() <= (cell.nucleus & cell.outline).sum()


def test_red_cells_and_platelets_have_no_nucleus() -> None:
    assert all(found([(100, 100)], kind=kind)[0].nucleus is None for kind in (0, 2))


@pytest.mark.parametrize("um_per_px", [0.2, 0.0706, 0.4])
def test_a_white_cell_at_the_corner_is_outlined_in_full(um_per_px: float) -> None:
    (cell,) = found([(12.0, 10.0)], um_per_px=um_per_px, kind=1)
    whole = discs([(12.0 * 0.2 / um_per_px, 10.0 * 0.2 / um_per_px)], size=(200, 200), radius=18 * 0.2 / um_per_px)
    assert cell.touches_border
    assert cell.area_um2 == pytest.approx(float((whole[..., 0] < DARK).sum()) * um_per_px**2, rel=0.08)


def test_a_classifier_bundle_is_refused() -> None:
    with pytest.raises(BundleError, match="a segmenter was expected"):
        Segmenter(classifier_bundle(), DiscNetwork([], 18))
