import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leukoscope.optics.levels import Levels, high_percentile

PICTURES = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@given(PICTURES, st.floats(0, 100))
def test_counted_percentiles_are_those_of_sorting(picture: np.ndarray, percent: float) -> None:
    assert Levels.of(picture).percentile(percent) == pytest.approx(np.percentile(picture, percent), abs=1e-9)


@given(PICTURES, st.floats(-5, 300))
def test_the_share_below_a_level_counts_darker_pixels_alone(picture: np.ndarray, level: float) -> None:
    assert Levels.of(picture).share_below(level) == pytest.approx((picture < level).mean())


@given(
    arrays(np.float32, st.tuples(st.integers(1, 20), st.integers(1, 20)), elements=st.floats(0, 1000, width=32)),
    st.floats(0, 100),
)
def test_a_high_percentile_is_that_of_sorting(values: np.ndarray, percent: float) -> None:
    assert high_percentile(values, percent) == pytest.approx(np.percentile(values, percent), rel=1e-5, abs=1e-5)


def test_a_top_that_the_sample_misses_is_found_all_the_same() -> None:
    values = np.zeros((64, 64), dtype=np.float32)
    values[::4, ::4] = 1000
    values[1::4, 1::4] = 500
    assert high_percentile(values, 90) == pytest.approx(float(np.percentile(values, 90)))
