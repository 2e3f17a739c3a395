"""The share of normal cells that are pointed at by mistake, and what chance makes of it."""

import numpy as np
import pytest
from scipy import stats

from leukoscope.statistics.false_alarms import FalseShare, beta_binomial_upper_tail, together


@pytest.mark.parametrize(
    ("count", "total", "a", "b"), [(1, 1, 2, 3), (7, 100, 4.5, 90), (60, 200, 3, 5), (3, 20_000, 1, 9e3)]
)
def test_the_tail_is_the_beta_binomials(count: int, total: int, a: float, b: float) -> None:
    assert beta_binomial_upper_tail(count, total, a, b) == pytest.approx(stats.betabinom.sf(count - 1, total, a, b))
    assert beta_binomial_upper_tail(0, total, a, b) == 1
    assert beta_binomial_upper_tail(total + 1, total, a, b) == 0


def test_a_share_that_is_given_is_binomial_and_one_that_was_seen_often_comes_close() -> None:
    assert FalseShare(0.05).chance(15, 200) == pytest.approx(stats.binom.sf(14, 200, 0.05))
    assert FalseShare(0.05, 1e7).chance(15, 200) == pytest.approx(stats.binom.sf(14, 200, 0.05), rel=1e-3)
    # In marrow a normal sample may hold a twentieth.
    assert FalseShare(0.05).chance(15, 200, normal=0.05) == pytest.approx(stats.binom.sf(14, 200, 0.0975))
    assert FalseShare(0.0).chance(1, 10) == 0
    assert FalseShare(1.0, 10).chance(10, 10) == 1


def test_normal_samples_of_a_bench_pass_by_chance_no_more_often_than_is_said() -> None:
    rng = np.random.default_rng(3)
    share = FalseShare(0.046)
    passed = []
    for true in rng.beta(1.5, 10, 2000):
        known = share.seen_again(int(rng.binomial(100, true)), 100, worth=10)
        passed.append(known.chance(int(rng.binomial(200, true)), 200) < 0.02)
    assert np.mean(passed) < 0.03


def test_several_classes_add_up_and_are_known_as_well_as_the_least_known() -> None:
    of_three = together([FalseShare(0.02, 110), FalseShare(0.03, 60), FalseShare(0.01)])
    assert of_three.share == pytest.approx(0.06)
    assert of_three.cells == 60
    assert together([FalseShare(0.7), FalseShare(0.7)]) == FalseShare(1.0)
