import numpy as np
from numpy.typing import NDArray

from leukoscope.adapting.refit import refit, second_moment
from leukoscope.adapting.self_training import refit_by_itself
from leukoscope.inference.head import Head

HEAD = Head(
    np.array([[-1.0, 0.0, -0.3], [1.0, 0.0, -0.3], [0.0, 0.0, 0.9]], dtype=np.float32), np.zeros(3, dtype=np.float32)
)
"""Tells the first two classes by the first feature, the third by the third; it makes nothing of the second."""
GROUPS = [(0,), (1,), (2,)]


def cells(means: tuple[float, float], second: float, seed: int = 1) -> tuple[NDArray, NDArray]:
    """300 cells of two classes, which the first feature shows by these means, the second by plus or minus `second`."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, 300)
    features = np.zeros((300, 2, 3))
    features[..., 0] = (np.array(means)[truth] + rng.normal(size=300))[:, None]
    features[..., 1] = (second * (2 * truth - 1) + 0.3 * rng.normal(size=300))[:, None]
    return features, truth


def right(head: Head, features: NDArray, truth: NDArray) -> float:
    return float((head.logits(features[:, 0]).argmax(axis=1) == truth).mean())


def known() -> NDArray:
    """Cells of all three classes as the old laboratory shows them: without the second feature."""
    features, truth = cells((-2.5, 2.5), 0.0)
    third = np.tile([0.0, 0.0, 4.0], (50, 1))
    return second_moment(np.concatenate([features[:, 0], third]), [*truth.tolist(), *[2] * 50])


STRANGE = cells((-3.0, 0.8), 2.0)
"""Of a laboratory where cells of the second class look paler, and a feature that meant nothing tells them."""


def test_what_it_is_sure_of_teaches_it_the_rest() -> None:
    fitted = refit_by_itself(HEAD, known(), STRANGE[0], GROUPS)
    assert right(HEAD, *STRANGE) < 0.92
    assert right(fitted, *STRANGE) > 0.98


def test_what_it_does_not_meet_is_not_unlearnt() -> None:
    fitted = refit_by_itself(HEAD, known(), STRANGE[0], GROUPS)
    np.testing.assert_array_equal(fitted.weights[2], HEAD.weights[2])
    assert fitted.logits(np.array([0.0, 0.0, 4.0])).argmax() == 2
    old = cells((-2.5, 2.5), 0.0, seed=2)
    assert right(fitted, *old) > right(HEAD, *old) - 0.02


def test_classes_of_one_group_are_not_told_apart_by_it() -> None:
    fitted = refit_by_itself(HEAD, known(), STRANGE[0], [(0, 1), (2,)])
    # All cells are of one group: there is nothing to learn.
    assert fitted is HEAD


def test_without_two_groups_it_is_sure_of_it_stays_as_it_is() -> None:
    doubtful = Head(HEAD.weights / np.float32(100), HEAD.biases)
    assert refit_by_itself(doubtful, known(), STRANGE[0], GROUPS) is doubtful
    assert refit_by_itself(HEAD, known(), STRANGE[0], GROUPS, temperature=100.0) is HEAD


def test_a_few_names_put_right_what_it_would_have_taught_itself_wrongly() -> None:
    """A second class so strange that most of it is surely taken for the first, until four cells are named."""
    features, truth = cells((-3.0, -0.7), 2.0)
    named = features[:4], np.arange(3) == truth[:4, None]
    assert set(truth[:4]) == {0, 1}
    assert right(refit_by_itself(HEAD, known(), features, GROUPS), features, truth) < 0.7
    assert right(refit_by_itself(HEAD, known(), features[4:], GROUPS, named), features, truth) > 0.98


def test_without_unnamed_cells_names_alone_teach() -> None:
    features, truth = STRANGE
    named = features[:20], np.arange(3) == truth[:20, None]
    one, other = refit_by_itself(HEAD, known(), features[:0], GROUPS, named), refit(HEAD, known(), *named)
    np.testing.assert_array_equal(one.weights, other.weights)
