import numpy as np
import pytest
from numpy.typing import NDArray

from refit import Head, chance_of, cross_validated, refit, views

CLASSES, FEATURES = 5, 12
RNG = np.random.default_rng(5)
HEAD = Head(RNG.normal(size=(CLASSES, FEATURES)), RNG.normal(size=CLASSES))


def cells(head: Head, count: int, classes: tuple[int, ...], views: int = 2) -> tuple[NDArray, NDArray]:
    """Cells as another laboratory shows them: `head`, which knows that laboratory, names every one of these right."""
    rng = np.random.default_rng(count)
    found: list[NDArray] = []
    allowed: list[NDArray] = []
    while len(found) < count:
        one = rng.normal(size=FEATURES) * 2.0
        best = int(head.logits(one).argmax())
        if best in classes:
            found.append(np.stack([one, *(one + 0.05 * rng.normal(size=(views - 1, FEATURES)))]))
            allowed.append(np.arange(CLASSES) == best)
    return np.stack(found), np.stack(allowed)


def elsewhere() -> Head:
    """What would name the cells of another laboratory right."""
    rng = np.random.default_rng(8)
    return Head(HEAD.weights + 0.6 * rng.normal(size=HEAD.weights.shape), HEAD.biases + rng.normal(size=CLASSES))


def right(head: Head, features: NDArray, allowed: NDArray) -> float:
    return float(np.mean(allowed[np.arange(len(allowed)), head.logits(features[:, 0]).argmax(axis=1)]))


def test_names_teach_a_laboratory_it_has_not_seen() -> None:
    learnt, judged = cells(elsewhere(), 100, (0, 1, 2, 3, 4)), cells(elsewhere(), 101, (0, 1, 2, 3, 4))
    fitted = refit(HEAD, *learnt)
    assert right(fitted, *judged) > right(HEAD, *judged) + 0.1


def test_a_class_that_nobody_named_is_not_unlearnt() -> None:
    features, allowed = cells(elsewhere(), 100, (0, 1, 2))
    fitted = refit(HEAD, features, allowed)
    np.testing.assert_array_equal(fitted.weights[3:], HEAD.weights[3:])
    np.testing.assert_array_equal(fitted.biases[3:], HEAD.biases[3:])
    # Nor are the named ones raised or lowered as a whole, which would let them win or lose against it.
    np.testing.assert_allclose(fitted.weights[:3].sum(axis=0), HEAD.weights[:3].sum(axis=0), atol=1e-3)


def test_names_that_say_what_was_said_anyway_change_little() -> None:
    sure = Head(HEAD.weights * 10.0, HEAD.biases * 10.0)
    fitted = refit(sure, *cells(sure, 60, (0, 1, 2, 3, 4)))
    assert np.abs(fitted.weights - sure.weights).max() < 0.5


def test_a_coarse_label_teaches_what_it_may_mean_and_no_more() -> None:
    features, exact = cells(elsewhere(), 100, (0, 1, 2))
    coarse = exact.copy()
    coarse[exact[:, 0] | exact[:, 1], :2] = True
    fitted = refit(HEAD, features, coarse)
    assert right(fitted, features, coarse) > right(HEAD, features, coarse)
    assert set(np.flatnonzero((fitted.weights != HEAD.weights).any(axis=1))) == {0, 1, 2}


def test_probabilities_are_fitted_as_the_device_tells_them() -> None:
    features, allowed = cells(elsewhere(), 80, (0, 1, 2))
    halved = Head(HEAD.weights / 2.0, HEAD.biases / 2.0)
    # Half the logits at half the temperature are the same probabilities; only the pull is another.
    one, other = refit(HEAD, features, allowed), refit(halved, features, allowed, temperature=0.5)
    assert right(one, features, allowed) == pytest.approx(right(other, features, allowed), abs=0.06)
    two = refit(HEAD, features, allowed, temperature=0.5)
    assert np.abs(two.logits(features[:, 0])).mean() < np.abs(one.logits(features[:, 0])).mean()


def test_what_is_judged_was_not_learnt_from() -> None:
    """Cells of one specimen are copies of each other under a name that no other specimen has: nothing can be gained."""
    rng = np.random.default_rng(3)
    features = np.repeat(rng.normal(size=(10, 1, FEATURES)), 5, axis=0)
    allowed = np.repeat(np.eye(CLASSES, dtype=bool)[rng.integers(0, CLASSES, 10)], 5, axis=0)
    specimens = [f"specimen {number}" for number in np.repeat(np.arange(10), 5)]
    _, apart = cross_validated(HEAD, features, allowed, specimens)
    _, mixed = cross_validated(HEAD, features, allowed, [str(number) for number in range(50)])
    assert mixed.all()
    assert apart.sum() < 35


def test_cross_validation_tells_what_names_bring() -> None:
    features, allowed = cells(elsewhere(), 120, (0, 1, 2))
    before, after = cross_validated(HEAD, features, allowed, [str(number // 3) for number in range(120)])
    assert before.mean() == pytest.approx(right(HEAD, features, allowed))
    assert after.sum() > before.sum() + 5
    assert chance_of(before, after) < 0.05


@pytest.mark.parametrize(
    ("better", "worse", "chance"), [(0, 0, 1.0), (2, 0, 0.25), (5, 0, 1 / 32), (4, 1, 6 / 32), (1, 4, 31 / 32)]
)
def test_few_names_that_change_can_be_chance(better: int, worse: int, chance: float) -> None:
    before = np.array([False] * better + [True] * worse + [True, False] * 20)
    after = np.array([True] * better + [False] * worse + [True, False] * 20)
    assert chance_of(before, after) == pytest.approx(chance)


def test_cells_of_one_class_or_one_specimen_are_refused() -> None:
    features, allowed = cells(HEAD, 10, (1,))
    with pytest.raises(ValueError, match="two classes or more, found one"):
        refit(HEAD, features, allowed)
    with pytest.raises(ValueError, match="two specimens or more, found one"):
        cross_validated(HEAD, features, allowed, ["one"] * 10)


def test_a_picture_has_eight_orientations_and_comes_first_itself() -> None:
    picture = RNG.integers(0, 255, (6, 6, 3), dtype=np.uint8)
    ways = views(picture)
    np.testing.assert_array_equal(ways[0], picture)
    assert len({one.tobytes() for one in ways}) == 8
