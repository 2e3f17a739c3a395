"""What a way to find outliers is given: a network that has learnt the known classes, and the cells it learnt from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from methods.kinds import Matrix, Pictures, Words

Strangeness = NDArray[np.float32]
"""One number per cell, the greater the stranger."""


@dataclass(frozen=True, slots=True, eq=False)
class Knowing:
    """A network and its cells."""

    pictures: Pictures
    """That it learnt from."""
    labels: Words
    logits: Callable[[Pictures], Matrix]
    """Of each known class, (cells, classes)."""
    pooled: Callable[[Pictures], Matrix]
    """What the last layer is given, (cells, features)."""
    seconds: float
    """What any other network may learn in."""


@dataclass(frozen=True, slots=True)
class OutlierMethod:
    """A way to find cells of no known class."""

    name: str
    paper: str
    make: Callable[[Knowing], Callable[[Pictures], Strangeness]]


def shares(logits: Matrix) -> Matrix:
    """Probabilities, (cells, classes)."""
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def distance_to_classes(known: Matrix, labels: Words) -> Callable[[Matrix], Strangeness]:
    """Mahalanobis distance to the nearest class's mean, one covariance for all, shrunk (Lee et al. 2018)."""
    names = np.unique(labels)
    means = np.stack([known[labels == name].mean(axis=0) for name in names])
    inner = known - means[np.searchsorted(names, labels)]
    spread = inner.T @ inner / len(inner)
    spread += 0.1 * np.trace(spread) / len(spread) * np.eye(len(spread), dtype=spread.dtype)
    whiten = np.linalg.cholesky(np.linalg.inv(spread))

    def distance(rows: Matrix) -> Strangeness:
        seen, middles = rows @ whiten, means @ whiten
        return np.asarray(np.min(((seen[:, None] - middles) ** 2).sum(axis=2), axis=1), dtype=np.float32)

    return distance
