"""Fits a classifier's last layer to a few cells that people have named, without unlearning what they did not name.

A hundred cells cannot teach a network to see, but they can teach a network that sees already what a laboratory's cells
look like. The features stay, and the rows of the named classes move as little as will do, above all where a move would
change the answers for cells like those the network learnt from.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from leukoscope.errors import AdaptingError
from leukoscope.inference.head import Head
from leukoscope.sentence import Sentence
from leukoscope.statistics.intervals import binomial_upper_tail

KEEP = 0.03
"""Of the mean squared change of the logits of known cells, against the mean loss. Without it the rows that move rise
over those that do not: networks that had learnt names of normal blood called most smudges a normal cell."""
PULL = 0.1
"""Of the squared change of the weights, against the summed loss. Both were chosen on the laboratories that were left
out: less keeps less, more learns less."""
BALANCE = 0.75
"""Each label counts as often as it has cells to this power, so that a rare class is heard beside the neutrophils."""
ORIENTATIONS = 8
"""Of a square picture: a cell has no up or left."""


def views(window: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """A square picture in its orientations; first itself, then mirrored, as a classifier looks at it."""
    turned = [np.rot90(window, quarter) for quarter in range(4)]
    return [np.ascontiguousarray(one) for way in turned for one in (way, way[:, ::-1])]


def second_moment(features: NDArray[np.floating], classes: Sequence[int]) -> NDArray[np.float64]:
    """What a network has seen, as far as its last layer can tell: E(x x'), x its features and a 1 for the bias.

    Args:
        features: of cells it learnt from, (cells, features).
        classes: of each; every class counts alike, however many cells it has.

    Returns:
        Shape (features + 1, features + 1).
    """
    _, which, counts = np.unique(classes, return_inverse=True, return_counts=True)
    weight = 1.0 / (len(counts) * counts[which])
    seen = _with_one(features)
    return np.asarray((seen * weight[:, None]).T @ seen)


def refit(
    head: Head,
    known: NDArray[np.floating],
    features: NDArray[np.floating],
    allowed: NDArray[np.bool_],
    temperature: float = 1.0,
) -> Head:
    """The head that names these cells as they were named, and says of known cells what the old one did, both in part.

    The loss compares the named classes with each other alone, so that nothing is learnt against a class that is in no
    label (blasts, when a laboratory names normal blood); its row stays as it is.

    Args:
        head: to start from.
        known: `second_moment` of cells that the network learnt from.
        features: (cells, views, features), what the network computes before its last layer.
        allowed: (cells, classes), which classes each cell's label may mean; at least one.
        temperature: which the device divides logits by.

    Raises:
        ValueError: the labels are all the same: there is nothing to tell apart.
        AdaptingError: scipy is not installed.
    """
    labels, which, counts = np.unique(allowed, axis=0, return_inverse=True, return_counts=True)
    if len(labels) < 2:
        raise ValueError("expected cells of two classes or more, found one")
    named = np.asarray(allowed.any(axis=0))
    weight_of = counts[which.reshape(-1)] ** (BALANCE - 1.0)
    each = features.shape[1]
    weight = np.repeat(weight_of / weight_of.mean(), each)
    seen = _with_one(features.reshape(-1, features.shape[2])) / temperature
    start = np.column_stack([head.weights, head.biases])[named]
    target = np.repeat(allowed[:, named], each, axis=0)
    held = KEEP * len(seen) * known / temperature**2 + PULL * np.eye(len(known))

    def loss(moved: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        change = moved.reshape(start.shape)
        logits = seen @ (start + change).T
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        meant = odds * target
        shares, wanted = (one / one.sum(axis=1, keepdims=True) for one in (odds, meant))
        back = change @ held
        lost = weight @ np.log(odds.sum(axis=1) / meant.sum(axis=1)) + np.sum(change * back)
        slope = (weight[:, None] * (shares - wanted)).T @ seen + 2.0 * back
        return float(lost), slope.ravel()

    change = _least(loss, start.size).reshape(start.shape)
    weights, biases = head.weights.copy(), head.biases.copy()
    weights[named] += change[:, :-1].astype(np.float32)
    biases[named] += change[:, -1].astype(np.float32)
    return Head(weights, biases)


def _with_one(features: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.column_stack([features.astype(np.float64), np.ones(len(features))])


def cross_validated(
    fit: Callable[[NDArray[np.bool_], Sequence[str]], Head],
    features: NDArray[np.floating],
    specimens: Sequence[str],
    folds: int = 5,
) -> NDArray[np.float32]:
    """What heads say of cells whose specimens they were not fitted to: logits, (cells, views, classes).

    Args:
        fit: gives the head fitted to some of the cells, (cells,), when some specimens are set aside.
        features: (cells, views, features).
        specimens: of each cell; the cells of one are never on both sides.
        folds: parts; fewer where there are fewer specimens.

    Raises:
        ValueError: there are fewer than two specimens.
    """
    names = np.unique(specimens)
    if len(names) < 2:
        raise ValueError("expected cells of two specimens or more, found one")
    drawn = np.random.default_rng(0).permutation(len(names)) % min(folds, len(names))
    part = drawn[np.searchsorted(names, specimens)]
    logits: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(part)
    for fold in np.unique(part):
        fitted = fit(part != fold, names[drawn == fold].tolist())
        for cell in np.flatnonzero(part == fold):
            logits[cell] = fitted.logits(features[cell])
    return np.stack(logits)


def sign_test(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> float:
    """How likely chance alone turns as many wrong names right, or more, of those that changed: one-sided sign test.

    Args:
        before: which cells were named right, (cells,).
        after: which of the same cells are, (cells,).
    """
    better, changed = int((after & ~before).sum()), int((after != before).sum())
    return binomial_upper_tail(better, changed, 0.5)


def _least(loss: Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]], size: int) -> NDArray[np.float64]:
    """Where a convex function, which also gives its slope, is least."""
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise AdaptingError(
            Sentence("fitting needs the package scipy ({why})", why=error), "pip install 'leukoscope[adapt]'"
        ) from error
    return np.asarray(minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B").x)
