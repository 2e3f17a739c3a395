"""Fits a classifier's last layer also to cells that no person has named: it learns from those it is sure of.

The same hold as for names (`refit`) keeps it from running away with its own mistakes: its answers for known cells
stay.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leukoscope.adapting.refit import refit
from leukoscope.inference.head import Head

SURE = 0.8
"""A group of classes with this probability names an unnamed cell."""
ROUNDS = 12
"""How often unnamed cells are named, and the head fitted to these names, at most: after three a third of what can be
gained is missing, after these next to nothing."""
UNNAMED = -1


def refit_by_itself(
    head: Head,
    known: NDArray[np.floating],
    features: NDArray[np.floating],
    groups: Sequence[Sequence[int]],
    named: tuple[NDArray[np.floating], NDArray[np.bool_]] | None = None,
    temperature: float = 1.0,
) -> Head:
    """The head fitted to names that it gives itself where it is sure of them, and to those that people gave.

    An unnamed cell teaches the group of classes that has `SURE` or more, not which of them it is; `refit` says the
    rest.

    Args:
        head: to start from.
        known: as in `refit`.
        features: (cells, views, features), of cells that no person has named; there may be none.
        groups: of classes that shade into each other, by their places; every class in one.
        named: features and allowed classes of cells with names, as in `refit`.
        temperature: which the device divides logits by.

    Returns:
        The head, as far as it came: unchanged where people named no cells and it is sure of fewer than two groups.
    """
    member = np.zeros((len(head.biases), len(groups)))
    for number, places in enumerate(groups):
        member[list(places), number] = 1.0
    fitted = head if named is None else refit(head, known, *named, temperature)
    before = np.full(len(features), UNNAMED)
    for _ in range(ROUNDS):
        shares = _shares(fitted.logits(features.mean(axis=1)) / temperature) @ member
        names = np.where(shares.max(axis=1) >= SURE, shares.argmax(axis=1), UNNAMED)
        sure = np.flatnonzero(names != UNNAMED)
        seen, allowed = features[sure], member.T[names[sure]] > 0
        if named is not None:
            seen, allowed = np.concatenate([named[0], seen]), np.concatenate([named[1], allowed])
        if np.array_equal(names, before) or len(np.unique(allowed, axis=0)) < 2:
            break
        fitted, before = refit(head, known, seen, allowed, temperature), names
    return fitted


def _shares(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    odds = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))
