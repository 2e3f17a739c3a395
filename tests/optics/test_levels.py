import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leukoscope.optics.levels import Levels

PICTURES = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@given(PICTURES, st.floats(0, 100))
def test_counted_percentiles_are_those_of_sorting(picture: np.ndarray, percent: float) -> None:
    assert Levels.of(picture).percentile(percent) == pytest.approx(np.percentile(picture, percent), abs=1e-9)


@given(PICTURES, st.floats(-5, 300))
def test_the_share_below_a_level_counts_darker_pixels_alone(picture: np.ndarray, level: float) -> None:
    assert Levels.of(picture).share_below(level) == pytest.approx((picture < level).mean())
