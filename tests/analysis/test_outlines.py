import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from leukoscope.analysis.outlines import outline_cells
from leukoscope.analysis.peaks import Boxes
from leukoscope.specimen.cell import CellInstance
from tests.drawings import micrograph_of

RBC, WBC, PLATELET = 0, 1, 2
Flags = NDArray[np.bool_]


def mask(*discs: tuple[float, float, float], size: tuple[int, int] = (120, 160)) -> Flags:
    """Discs (row, col, radius) in network pixels, drawn four times as fine as the mask."""
    row, col = (np.mgrid[: 2 * size[0], : 2 * size[1]] + 0.5) / 2
    drawn = np.zeros(row.shape, bool)
    for at_row, at_col, radius in discs:
        drawn |= np.hypot(row - at_row, col - at_col) < radius
    return drawn


def outlined(
    seen: Flags, cells: list[tuple[int, float, float, float]], factor: float = 1.0, shape: tuple[int, int] | None = None
) -> tuple[CellInstance, ...]:
    """Outlines of cells (kind, row, col, radius) in network pixels, of which the network sees `seen`."""
    rows, cols = seen.shape[0] // 2, seen.shape[1] // 2
    share = cv2.resize(seen.astype(np.float32), (cols // 2, rows // 2), interpolation=cv2.INTER_AREA)
    logits = np.repeat((8 * share - 4)[None].astype(np.float32), 3, axis=0)
    sides = np.array([(c - r, y - r, c + r, y + r) for _, y, c, r in cells], np.float32)
    sides = np.clip(sides, 0, [cols, rows, cols, rows]).astype(np.float32)
    kinds, scores = np.array([kind for kind, *_ in cells]), np.linspace(0.9, 0.5, len(cells), dtype=np.float32)
    size = shape or (round(rows * factor), round(cols * factor))
    picture = np.full((*size, 3), 220, np.uint8)
    return outline_cells(
        Boxes(kinds, scores, *sides.T), logits, (size[0] / rows, size[1] / cols), micrograph_of(picture, 0.2 / factor)
    )


def on_picture(cell: CellInstance, shape: tuple[int, int]) -> Flags:
    plane = np.zeros(shape, bool)
    plane[cell.box.row : cell.box.row_end, cell.box.col : cell.box.col_end] = cell.outline
    return plane


@pytest.mark.parametrize("shape", [(120, 160), (240, 320), (237, 315), (340, 453), (60, 80)])
def test_an_outline_lies_where_the_cell_is_at_any_scale_and_far_from_the_corner(shape: tuple[int, int]) -> None:
    row, col, radius = 96.3, 133.8, 18.0
    (cell,) = outlined(mask((row, col, radius)), [(RBC, row, col, radius + 2)], shape[0] / 120, shape)
    pixel_row, pixel_col = np.mgrid[: shape[0], : shape[1]] + 0.5
    away = np.hypot(pixel_row * 120 / shape[0] - row, pixel_col * 160 / shape[1] - col)
    truth, drawn = away < radius, on_picture(cell, shape)
    assert 2 * (truth & drawn).sum() / (truth.sum() + drawn.sum()) > 0.97
    found_row, found_col = (places.mean() for places in np.nonzero(drawn))
    assert (found_row + 0.5) * 120 / shape[0] == pytest.approx(row, abs=0.2)
    assert (found_col + 0.5) * 160 / shape[1] == pytest.approx(col, abs=0.2)


def test_a_pale_middle_is_cell() -> None:
    ring = mask((60, 80, 20)) & ~mask((60, 80, 9))
    (cell,) = outlined(ring, [(RBC, 60, 80, 20)])
    assert cell.outline[20, 20]
    assert cell.outline.mean() == pytest.approx(np.pi / 4, abs=0.03)


def test_the_pale_middle_of_a_cell_cut_by_the_edge_is_cell() -> None:
    ring = mask((4, 80, 20)) & ~mask((4, 80, 11))
    (cell,) = outlined(ring, [(RBC, 4, 80, 20)])
    assert cell.touches_border
    assert cell.outline[:20, 20].all()


def test_a_piece_beside_the_cell_is_left_out() -> None:
    (cell,) = outlined(mask((60, 80, 15), (44, 64, 3)), [(RBC, 60, 80, 20)])
    pieces, _ = cv2.connectedComponents(cell.outline.astype(np.uint8))
    assert pieces == 2
    assert not cell.outline[:6, :6].any()
    assert cell.area_um2 == pytest.approx(np.pi * 15**2 * 0.04, rel=0.05)


def test_a_platelet_on_a_red_cell_keeps_its_pixels() -> None:
    red, platelet = outlined(mask((60, 80, 20)), [(RBC, 60, 80, 20), (PLATELET, 60, 80, 5)])
    drawn = on_picture(red, (120, 160)), on_picture(platelet, (120, 160))
    assert not (drawn[0] & drawn[1]).any()
    assert (drawn[0] | drawn[1])[60, 60:100].all()


def test_where_too_little_is_seen_the_ellipse_stands_in() -> None:
    seen_none, seen_speck = (outlined(seen, [(RBC, 60, 80, 20)])[0] for seen in (mask(), mask((60, 80, 4))))
    for cell in (seen_none, seen_speck):
        assert cell.outline.mean() == pytest.approx(np.pi / 4, abs=0.02)


def test_cells_in_a_crowd_share_no_pixel_and_each_is_of_one_piece() -> None:
    rng = np.random.default_rng(4)
    places = [(float(row), float(col), float(rng.uniform(10, 20))) for row, col in rng.uniform(0, (120, 160), (25, 2))]
    cells = outlined(mask(*places), [(index % 3, *place) for index, place in enumerate(places)], 1.6)
    owners = np.zeros((192, 256), int)
    for cell in cells:
        owners += on_picture(cell, owners.shape)
        assert cell.outline.shape == (cell.box.height, cell.box.width)
        assert cell.nucleus is None or not (cell.nucleus & ~cell.outline).any()
    assert owners.max() == 1


def test_a_box_too_narrow_for_a_cell_is_none_and_takes_no_pixel() -> None:
    (cell,) = outlined(mask((60, 80, 20)), [(RBC, 60, 80, 20), (PLATELET, 60, 80, 1)])
    assert cell.outline.mean() == pytest.approx(np.pi / 4, abs=0.03)


def test_of_no_boxes_come_no_cells() -> None:
    nothing = np.empty(0, np.float32)
    boxes = Boxes(nothing.astype(np.intp), nothing, nothing, nothing, nothing, nothing)
    logits = np.zeros((3, 60, 80), np.float32)
    assert outline_cells(boxes, logits, (1.0, 1.0), micrograph_of(np.full((120, 160, 3), 220, np.uint8))) == ()


def test_the_lobe_of_a_white_cell_beyond_its_box_belongs_to_it_and_its_box_grows() -> None:
    seen = mask((60, 80, 20), (60, 97, 7))
    (cell,) = outlined(seen, [(WBC, 60, 80, 20)])
    (red,) = outlined(seen, [(RBC, 60, 80, 20)])
    assert cell.box.col_end == 104
    assert (cell.box.row, cell.box.col, cell.box.row_end) == (40, 60, 80)
    assert cell.outline.shape == (cell.box.height, cell.box.width)
    assert cell.nucleus is not None
    assert cell.nucleus.shape == cell.outline.shape
    assert red.box.col_end == 100


def test_a_white_cell_keeps_its_pixels_from_a_red_cell_that_it_presses_against() -> None:
    # Seen as white: the white cell alone, a part of which is nearer to the red cell's middle.
    white, red = outlined(mask((60, 60, 20)), [(WBC, 60, 60, 20), (RBC, 60, 85, 20)])
    both = on_picture(white, (120, 160)) & on_picture(red, (120, 160))
    assert not both.any()
    assert white.area_um2 == pytest.approx(np.pi * 20**2 * 0.04, rel=0.03)


@pytest.mark.parametrize(
    ("outer", "inner"),
    [((RBC, 60.0, 80.0, 20.0), (RBC, 60.0, 80.0, 14.0)), ((WBC, 60.0, 80.0, 40.0), (RBC, 65.0, 78.0, 10.0))],
)
def test_a_cell_that_lies_in_another_as_a_whole_is_found_and_may_have_no_pixel(
    outer: tuple[int, float, float, float], inner: tuple[int, float, float, float]
) -> None:
    large, hidden = outlined(mask((60.0, 80.0, 40.0)), [outer, inner])
    assert large.outline.any()
    assert not hidden.outline.any()
    assert hidden.area_um2 == hidden.diameter_um == 0.0
    assert hidden.outline.shape == (hidden.box.height, hidden.box.width)


@pytest.mark.parametrize("kind", [RBC, WBC])
def test_a_network_that_is_sure_beyond_float32_is_outlined_without_a_warning(kind: int) -> None:
    logits = np.full((3, 60, 80), -200.0, np.float32)
    logits[:, 20:40, 30:50] = 200.0
    sides = np.array([[58.0, 38.0, 102.0, 82.0]], np.float32)
    found = Boxes(np.array([kind]), np.array([0.9], np.float32), *sides.T)
    (cell,) = outline_cells(found, logits, (1.0, 1.0), micrograph_of(np.full((120, 160, 3), 220, np.uint8)))
    assert np.count_nonzero(cell.outline) == pytest.approx(1600, rel=0.1)
