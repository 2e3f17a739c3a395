import cv2
import numpy as np
import pytest

from leukoscope.analysis.morphology import shape_of


def _ellipse(minor: float, major: float, angle: float) -> np.ndarray:
    plane = np.zeros((200, 200), np.uint8)
    cv2.ellipse(plane, ((100.0, 100.0), (2 * minor, 2 * major), angle), 1, cv2.FILLED)
    return plane.astype(bool)


@pytest.mark.parametrize("angle", [0, 30, 45, 77])
@pytest.mark.parametrize("ratio", [0.5, 0.75, 1.0])
def test_the_axis_ratio_of_a_drawn_ellipse_is_found_at_any_angle(ratio: float, angle: float) -> None:
    shape = shape_of(_ellipse(60 * ratio, 60, angle))
    assert shape.axis_ratio == pytest.approx(ratio, abs=0.03)
    assert shape.solidity > 0.96


def test_a_round_cell_is_regular_and_a_long_one_is_not() -> None:
    assert not shape_of(_ellipse(20, 20, 0)).irregular
    assert shape_of(_ellipse(12, 24, 20)).irregular


def test_a_bitten_cell_is_irregular() -> None:
    bitten = _ellipse(40, 40, 0)
    bitten[60:140, 100:118] = False
    assert shape_of(bitten).irregular


def test_a_single_pixel_is_a_square() -> None:
    assert shape_of(np.ones((1, 1), dtype=bool)).solidity == 1


def test_no_pixel_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        shape_of(np.zeros((4, 4), dtype=bool))
