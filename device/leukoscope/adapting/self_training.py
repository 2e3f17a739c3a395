"""Fits a classifier's last layer to cells that nobody has named: it learns from what it is sure of.

The same hold as for names (`refit`) keeps it from running away with its own mistakes: what is said of known cells
stays.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leukoscope.adapting.refit import refit
from leukoscope.inference.head import Head

SURE = 0.8
"""A group of classes with this probability names an unnamed cell."""
ROUNDS = 12
"""How often unnamed cells are named, and the head fitted to these names, at most: after three
a third of what can be gained is missing, after these next to nothing."""
UNNAMED = -1


def refit_to_itself(
    head: Head,
    known: NDArray[np.floating],
    features: NDArray[np.floating],
    groups: Sequence[Sequence[int]],
    temperature: float = 1.0,
) -> Head:
    """The head fitted to names that it gives itself, where it is sure of them.

    A cell teaches the group of classes that has `SURE` or more, not which of them it is; `refit` says the rest.

    Args:
        head: to start from.
        known: as in `refit`.
        features: (cells, views, features), of cells that nobody has named.
        groups: of classes that shade into each other, by their places; every class in one.
        temperature: which the device divides logits by.

    Returns:
        As far as it came: the head as it was where it is sure of fewer than two groups.
    """
    member = np.zeros((len(head.biases), len(groups)))
    for number, places in enumerate(groups):
        member[list(places), number] = 1.0
    fitted, before = head, np.zeros(0)
    for _ in range(ROUNDS):
        shares = _shares(fitted.logits(features.mean(axis=1)) / temperature) @ member
        named = np.where(shares.max(axis=1) >= SURE, shares.argmax(axis=1), UNNAMED)
        sure = np.flatnonzero(named != UNNAMED)
        if len(np.unique(named[sure])) < 2 or np.array_equal(named, before):
            break
        fitted, before = refit(head, known, features[sure], member.T[named[sure]] > 0, temperature), named
    return fitted


def _shares(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    odds = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))
