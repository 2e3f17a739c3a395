from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from leukoscope.adapting.refit import cross_validated, refit, second_moment, sign_test, views
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.head import Head, read_head
from leukoscope.system.assets import find_asset
from leukoscope.system.npz import read_arrays

CLASSES, FEATURES, SHOWN = 5, 12, 8
"""Of the features the first few show what a cell is, the others where it was photographed."""
RNG = np.random.default_rng(5)
HEAD = Head(
    (2.0 * RNG.normal(size=(CLASSES, FEATURES))).astype(np.float32), RNG.normal(size=CLASSES).astype(np.float32)
)
LOOKS = 4.0 * RNG.normal(size=FEATURES - SHOWN)
"""Of the new laboratory; in the old one all are 0."""
ALL = tuple(range(CLASSES))


def cells(count: int, classes: tuple[int, ...], *, strange: bool, ways: int = 2) -> tuple[NDArray, NDArray]:
    """Cells that `HEAD` names right as the old laboratory shows them, some of them wrong as the new one does."""
    rng = np.random.default_rng(count)
    features = np.zeros((50 * count, FEATURES))
    features[:, :SHOWN] = rng.normal(size=(50 * count, SHOWN)) * 2.0
    truth = HEAD.logits(features).argmax(axis=1)
    chosen = np.flatnonzero(np.isin(truth, classes))[:count]
    features[:, SHOWN:] = LOOKS if strange else 0.0
    jitter = 0.05 * rng.normal(size=(count, ways, FEATURES)) * (np.arange(ways) > 0)[:, None]
    return features[chosen][:, None] + jitter, np.arange(CLASSES) == truth[chosen][:, None]


def known() -> NDArray:
    """What `HEAD` was given on the cells that it learnt from."""
    features, allowed = cells(400, ALL, strange=False, ways=1)
    return second_moment(features[:, 0], allowed.argmax(axis=1).tolist())


def right(head: Head, features: NDArray, allowed: NDArray) -> float:
    return float(named_right(head.logits(features), allowed).mean())


def named_right(logits: NDArray, allowed: NDArray) -> NDArray:
    return allowed[np.arange(len(allowed)), logits[:, 0].argmax(axis=1)]


def test_names_teach_a_laboratory_it_has_not_seen() -> None:
    learnt, judged = (cells(count, ALL, strange=True) for count in (100, 300))
    assert right(refit(HEAD, known(), *learnt), *judged) > right(HEAD, *judged) + 0.1


def test_what_nobody_named_is_not_unlearnt() -> None:
    learnt = cells(100, (0, 1, 2), strange=True)
    fitted, loose = refit(HEAD, known(), *learnt), refit(HEAD, 0.0 * known(), *learnt)
    for one in (fitted, loose):
        np.testing.assert_array_equal(one.weights[3:], HEAD.weights[3:])
        np.testing.assert_array_equal(one.biases[3:], HEAD.biases[3:])
    unnamed = cells(200, (3, 4), strange=False)
    assert right(HEAD, *unnamed) == 1.0
    assert right(fitted, *unnamed) > 0.95
    assert right(fitted, *unnamed) > right(loose, *unnamed) + 0.02


def test_every_class_counts_alike_in_what_is_known() -> None:
    few = second_moment(np.array([[1.0], [3.0], [3.0], [3.0]]), [7, 2, 2, 2])
    np.testing.assert_allclose(few, [[5.0, 2.0], [2.0, 1.0]])


@pytest.mark.parametrize("name", ["classifier", "marrow"])
def test_what_ships_is_the_second_moment_of_the_classifiers_features(name: str) -> None:
    bundle = Bundle.read(find_asset("models", name))
    head, known = read_head(bundle), bundle.known_path()
    assert head is not None
    assert known is not None
    features = head.weights.shape[1]
    moments = read_arrays(known.read_bytes())["moments"]
    assert moments.shape == (features + 1, features + 1)
    assert moments[-1, -1] == pytest.approx(1.0)
    np.testing.assert_allclose(moments, moments.T, atol=1e-5)
    # Nothing known has a negative square.
    assert (np.diag(moments) >= 0.0).all()
    assert np.linalg.eigvalsh(moments.astype(np.float64)).min() > -1e-4


def test_names_that_say_what_was_said_anyway_change_little() -> None:
    features, allowed = cells(60, ALL, strange=False)
    fitted = refit(HEAD, known(), features, allowed)
    assert right(fitted, features, allowed) == 1.0
    assert np.abs(fitted.weights - HEAD.weights).max() < 0.3


def test_a_coarse_label_teaches_what_it_may_mean_and_no_more() -> None:
    features, exact = cells(100, (0, 1, 2), strange=True)
    coarse = exact.copy()
    coarse[exact[:, 0] | exact[:, 1], :2] = True
    fitted = refit(HEAD, known(), features, coarse)
    assert right(fitted, features, coarse) > right(HEAD, features, coarse)
    assert set(np.flatnonzero((fitted.weights != HEAD.weights).any(axis=1))) == {0, 1, 2}


def test_the_temperature_is_the_devices() -> None:
    features, allowed = cells(80, (0, 1, 2), strange=True)
    halved = Head(HEAD.weights / 2.0, HEAD.biases / 2.0)
    # Half the logits at half the temperature are the same probabilities; only the pull is another.
    one = refit(HEAD, known(), features, allowed)
    other = refit(halved, known(), features, allowed, temperature=0.5)
    np.testing.assert_allclose(one.logits(features), 2.0 * other.logits(features), atol=0.5)


def test_what_is_judged_was_not_learnt_from() -> None:
    """Cells of one specimen are copies of each other, named by chance: other specimens teach nothing about them."""
    rng = np.random.default_rng(3)
    features = np.repeat(rng.normal(size=(10, 1, FEATURES)), 5, axis=0)
    allowed = np.repeat(np.eye(CLASSES, dtype=bool)[rng.integers(0, CLASSES, 10)], 5, axis=0)
    specimens = [f"specimen {number}" for number in np.repeat(np.arange(10), 5)]

    def fit(learnt: NDArray, aside: Sequence[str]) -> Head:
        assert not {specimens[cell] for cell in np.flatnonzero(learnt)} & set(aside)
        return refit(HEAD, 0.0 * known(), features[learnt], allowed[learnt])

    apart = cross_validated(fit, features, specimens)
    specimens = [str(number) for number in range(50)]
    mixed = cross_validated(fit, features, specimens)
    assert named_right(mixed, allowed).all()
    assert named_right(apart, allowed).sum() < 35


def test_cross_validation_tells_what_names_bring() -> None:
    features, allowed = cells(120, (0, 1, 2), strange=True)
    unseen = cross_validated(
        lambda learnt, _: refit(HEAD, known(), features[learnt], allowed[learnt]),
        features,
        [str(number // 3) for number in range(120)],
    )
    before, after = named_right(HEAD.logits(features), allowed), named_right(unseen, allowed)
    assert after.sum() > before.sum() + 5
    assert sign_test(before, after) < 0.05


@pytest.mark.parametrize(
    ("better", "worse", "chance"), [(0, 0, 1.0), (2, 0, 0.25), (5, 0, 1 / 32), (4, 1, 6 / 32), (1, 4, 31 / 32)]
)
def test_few_names_that_change_can_be_chance(better: int, worse: int, chance: float) -> None:
    before = np.array([False] * better + [True] * worse + [True, False] * 20)
    after = np.array([True] * better + [False] * worse + [True, False] * 20)
    assert sign_test(before, after) == pytest.approx(chance)


def test_thousands_of_names_that_change_are_no_chance() -> None:
    before, after = np.arange(3000) >= 2000, np.arange(3000) < 2000
    assert sign_test(before, after) < 1e-50
    assert sign_test(after, before) == pytest.approx(1.0)


def test_cells_of_one_class_or_one_specimen_are_refused() -> None:
    features, allowed = cells(10, (1,), strange=False)
    with pytest.raises(ValueError, match="two classes or more, found one"):
        refit(HEAD, known(), features, allowed)
    with pytest.raises(ValueError, match="two specimens or more, found one"):
        cross_validated(lambda learnt, aside: HEAD, features, ["one"] * 10)


def test_a_picture_has_eight_orientations_and_comes_first_itself() -> None:
    picture = RNG.integers(0, 255, (6, 6, 3), dtype=np.uint8)
    ways = views(picture)
    np.testing.assert_array_equal(ways[0], picture)
    assert len({one.tobytes() for one in ways}) == 8
