import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from leukoscope.statistics.beta import beta_cdf, beta_quantile

SHAPES = st.one_of(st.integers(1, 100_000).map(float), st.floats(1.0, 1e4))


@given(st.floats(1e-9, 1 - 1e-9), SHAPES, SHAPES)
def test_the_distribution_is_that_of_the_statistics_library(value: float, a: float, b: float) -> None:
    assert beta_cdf(value, a, b) == pytest.approx(special.betainc(a, b, value), rel=1e-8, abs=1e-12)


@given(st.sampled_from([0.005, 0.025, 0.05, 0.5, 0.95, 0.975, 0.995]), SHAPES, SHAPES)
def test_the_quantile_is_that_of_the_statistics_library(share: float, a: float, b: float) -> None:
    found, expected = beta_quantile(share, a, b), special.betaincinv(a, b, share)
    assert found == pytest.approx(expected, rel=1e-7)
    assert 1 - found == pytest.approx(1 - expected, rel=1e-5, abs=1e-15)


@pytest.mark.parametrize(("value", "share"), [(-0.1, 0.0), (0.0, 0.0), (1.0, 1.0), (2.0, 1.0)])
def test_nothing_lies_outside_zero_to_one(value: float, share: float) -> None:
    assert beta_cdf(value, 3, 4) == share
