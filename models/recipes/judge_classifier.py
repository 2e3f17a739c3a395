"""Judges class probabilities on validation crops while training: figures by collection, and a temperature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cells import Cell
from vocabulary import Vocabulary


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float64]:
    """Probabilities (cells, classes)."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    weights = np.exp(scaled)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def figures(cells: Sequence[Cell], logits: NDArray[np.float32], vocabulary: Vocabulary) -> dict[str, float]:
    """By collection: share of cells named right, as classes and as groups, and the mean F1 of its labels.

    A label that may mean several classes is right with any of them, and has no F1.
    """
    probability = softmax(logits)
    best = probability.argmax(axis=1)
    right = np.array([index in cell.classes for index, cell in zip(best, cells, strict=True)])
    named, expected = _by_group(probability, cells, vocabulary)
    found: dict[str, float] = {}
    for collection in sorted({cell.collection for cell in cells}):
        rows = np.array([cell.collection == collection for cell in cells])
        found[f"{collection}/classes"] = float(right[rows].mean())
        found[f"{collection}/groups"] = float((named[rows] == expected[rows]).mean())
        single = rows & np.array([len(cell.classes) == 1 for cell in cells])
        if single.any():
            true = np.array([cell.classes[0] for cell in cells])[single]
            found[f"{collection}/f1"] = float(np.mean([_f1(best[single], true, one) for one in np.unique(true)]))
    return found


def _by_group(
    probability: NDArray[np.float64], cells: Sequence[Cell], vocabulary: Vocabulary
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The most probable group of every cell, and the one its label belongs to, as numbers."""
    group_of = [vocabulary.group_of(name) for name in vocabulary.classes]
    groups = list(dict.fromkeys(group_of))
    place = np.array([groups.index(name) for name in group_of])
    sums = np.stack([probability[:, place == index].sum(axis=1) for index in range(len(groups))], axis=1)
    return sums.argmax(axis=1), place[[cell.classes[0] for cell in cells]]


def _f1(named: NDArray[np.intp], true: NDArray[np.intp], index: np.intp) -> float:
    hits = float(np.sum((named == index) & (true == index)))
    return 2 * hits / max(1.0, float(np.sum(named == index) + np.sum(true == index)))
