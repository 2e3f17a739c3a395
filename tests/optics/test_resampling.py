import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukoscope.optics.resampling import resample

SIDES = st.integers(20, 90)


@settings(deadline=None, max_examples=60)
@given(SIDES, SIDES, st.floats(0.1, 2.0))
def test_a_place_stays_where_it_is(rows: int, cols: int, zoom: float) -> None:
    # Brightness tells the place: two levels per row, none of it lost to rounding.
    row, col = np.mgrid[:rows, :cols] + 0.5
    small, (by_row, by_col) = resample(np.stack([2 * row, 2 * col], axis=2).astype(np.uint8), zoom)
    assert small.shape[:2] == (max(1, round(rows * zoom)), max(1, round(cols * zoom)))
    assert (by_row, by_col) == (rows / small.shape[0], cols / small.shape[1])
    new_row, new_col = np.mgrid[: small.shape[0], : small.shape[1]] + 0.5
    # At the edges there is nothing to interpolate with; OpenCV may be half a new pixel off at the far side.
    inner = np.s_[3:-3, 3:-3]
    assert small[inner][..., 0] / 2 == pytest.approx((new_row * by_row)[inner], abs=0.5 + by_row / 2)
    assert small[inner][..., 1] / 2 == pytest.approx((new_col * by_col)[inner], abs=0.5 + by_col / 2)


def test_a_picture_at_the_wanted_scale_is_left_alone() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (31, 41, 3), dtype=np.uint8)
    same, step = resample(picture, 1.0)
    assert np.array_equal(same, picture)
    assert step == (1.0, 1.0)


def test_half_the_size_is_the_average_of_two_by_two() -> None:
    picture = np.array([[0, 100, 40, 40], [100, 200, 80, 80]], np.uint8)
    assert resample(picture, 0.5)[0].tolist() == [[100, 60]]


@pytest.mark.parametrize("zoom", [0.5, 0.4, 0.28, 0.25, 0.12])
def test_fine_detail_turns_grey_instead_of_into_patterns(zoom: float) -> None:
    fine = (np.indices((240, 320)).sum(axis=0) % 2 * 200).astype(np.uint8)
    small, _ = resample(fine, zoom)
    assert small.mean() == pytest.approx(100, abs=1)
    assert small.std() < 2


def test_one_channel_and_three_are_treated_alike() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (77, 93, 3), dtype=np.uint8)
    small, _ = resample(picture, 0.37)
    assert np.array_equal(small[..., 1], resample(np.ascontiguousarray(picture[..., 1]), 0.37)[0])
