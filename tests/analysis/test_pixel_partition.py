import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from leukoscope.analysis.pixel_partition import REACH, PixelPartition

ROWS, COLS = 40, 50
CORNER = st.tuples(st.floats(0, COLS - 6), st.floats(0, ROWS - 6))
SIZE = st.tuples(st.floats(3, 30), st.floats(3, 30))
Placed = list[tuple[tuple[float, float], tuple[float, float]]]
BOXES = st.lists(st.tuples(CORNER, SIZE), min_size=0, max_size=6)


def placed(boxes: Placed) -> tuple[np.ndarray, np.ndarray]:
    """Sides and whole-pixel edges of boxes, clipped to a picture of ROWS x COLS."""
    sides = np.array([(x, y, min(COLS, x + w), min(ROWS, y + h)) for (x, y), (w, h) in boxes], np.float32)
    sides = sides.reshape(-1, 4)
    return sides, np.floor(sides + 0.5).astype(np.intp)


def none(sides: np.ndarray) -> np.ndarray:
    """A chooser that is not asked."""
    return np.zeros(len(sides), dtype=np.bool_)


def distances(sides: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Of every cell at every pixel of the picture; endless outside its box."""
    row, col = np.ogrid[:ROWS, :COLS]
    planes = np.full((len(sides), ROWS, COLS), np.inf)
    for plane, (xmin, ymin, xmax, ymax), (left, top, right, bottom) in zip(planes, sides, edges, strict=True):
        away = ((col + 0.5 - (xmin + xmax) / 2) / ((xmax - xmin) / 2)) ** 2
        away = away + ((row + 0.5 - (ymin + ymax) / 2) / ((ymax - ymin) / 2)) ** 2
        plane[top:bottom, left:right] = away[top:bottom, left:right]
    return planes


@settings(deadline=None)
@given(BOXES)
def test_every_pixel_goes_to_the_nearest_cell_alone(
    boxes: Placed,
) -> None:
    sides, edges = placed(boxes)
    territories = PixelPartition(sides, edges, none(sides))
    away = distances(sides, edges)
    owners = np.zeros((ROWS, COLS), int)
    for index, (left, top, right, bottom) in enumerate(edges):
        own = territories.of(index)
        owners[top:bottom, left:right] += own
        here = away[:, top:bottom, left:right]
        others = np.delete(here, index, axis=0).min(axis=0, initial=np.inf)
        # Within rounding of the border either may have it.
        clear = np.abs(here[index] - np.minimum(others, REACH)) > 1e-3
        assert np.array_equal(own[clear], (here[index] < np.minimum(others, REACH))[clear])
    assert owners.max(initial=0) <= 1
    within = (away < REACH - 1e-3).any(axis=0) if len(boxes) else np.zeros((ROWS, COLS), bool)
    assert owners[within].all()


def test_an_ellipse_fills_its_box_and_keeps_to_its_territory() -> None:
    sides, edges = placed([((5, 5), (20, 30)), ((20, 5), (20, 30))])
    territories = PixelPartition(sides, edges, none(sides))
    for index in (0, 1):
        ellipse = territories.ellipse(index)
        assert ellipse.any()
        assert not (ellipse & ~territories.of(index)).any()
    alone = PixelPartition(sides[:1], edges[:1], none(sides[:1])).ellipse(0)
    assert abs(alone.mean() - np.pi / 4) < 0.02


def test_what_a_choosing_cell_takes_the_others_lose_and_no_more() -> None:
    sides, edges = placed([((5, 5), (20, 30)), ((20, 5), (20, 30))])
    shared = np.s_[:, 15:]
    territories = PixelPartition(sides, edges, choosing=np.array([True, False]))
    mine, before = territories.of(0), territories.of(1).copy()
    assert mine[shared].any()
    outline = np.zeros_like(mine)
    outline[10:20] = mine[10:20]
    territories.take(0, outline)
    assert np.array_equal(territories.of(0), mine)
    assert np.array_equal(territories.of(1)[:, :5], before[:, :5] & ~outline[shared])
    assert np.array_equal(territories.of(1)[:, 5:], before[:, 5:])


def test_two_that_choose_share_out_as_others_do_and_reach_farther() -> None:
    sides, edges = placed([((5, 5), (20, 30)), ((20, 5), (20, 30))])
    plain, choosing = (PixelPartition(sides, edges, np.full(2, flag)) for flag in (False, True))
    for index in (0, 1):
        assert not (plain.of(index) & ~choosing.of(index)).any()
        assert choosing.of(index).sum() > plain.of(index).sum()
    assert not (choosing.of(0)[:, 15:] & choosing.of(1)[:, :5]).any()
