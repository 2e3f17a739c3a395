"""Judges class probabilities on validation crops: figures by laboratory, and an honest temperature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cells import Cell
from classifier_net import CLASSES

PBC_GROUPS = {
    "neutrophil": ("segmented", "band"),
    "immature_granulocyte": ("promyelocyte", "myelocyte", "metamyelocyte"),
    "basophil": ("basophil",),
    "eosinophil": ("eosinophil",),
    "erythroblast": ("erythroblast",),
    "lymphocyte": ("lymphocyte",),
    "monocyte": ("monocyte",),
    "platelet": ("platelet",),
}
_COARSE_LABELS = {
    "neutrophil": "neutrophil",
    "neutrophil_unspecified": "neutrophil",
    "immature_granulocyte_unspecified": "immature_granulocyte",
}
STAGES = ("segmented", "band", "metamyelocyte", "myelocyte", "promyelocyte")
DEEPAPL_CLASSES = ("segmented", "lymphocyte", "monocyte", "blast", "promyelocyte", "erythroblast", "smudge")


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float64]:
    """Probabilities (cells, classes)."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    weights = np.exp(scaled)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def figures(cells: Sequence[Cell], logits: NDArray[np.float32]) -> dict[str, float]:
    """pbc by 8 groups and by 5 stages, raabin by groups, deepapl's F1 over 7 classes, single and macro."""
    probability = softmax(logits)
    named = np.array([CLASSES[index] for index in probability.argmax(axis=1)])
    grouped = _best_group(probability)
    collection = np.array([cell.collection for cell in cells])
    label = np.array([cell.label for cell in cells])
    true_group = np.array([_group(cell.label) for cell in cells])

    found: dict[str, float] = {}
    for name in ("pbc", "raabin"):
        rows = (collection == name) & (true_group != "")
        found[f"{name}/groups"] = float(np.mean(grouped[rows] == true_group[rows]))
    staged = (collection == "pbc") & np.isin(label, STAGES)
    found["pbc/stages"] = float(np.mean(named[staged] == label[staged]))
    judged = (collection == "deepapl") & np.isin(label, DEEPAPL_CLASSES)
    scores = {name: _f1(named[judged], label[judged], name) for name in DEEPAPL_CLASSES}
    found["deepapl/macro_f1"] = float(np.mean(list(scores.values())))
    return found | {f"deepapl/{name}": score for name, score in scores.items()}


def negative_log_likelihood(cells: Sequence[Cell], logits: NDArray[np.float32], temperature: float) -> float:
    """Mean surprise at the labels, in nats; a coarse label counts the sum over its classes."""
    probability = softmax(logits, temperature)
    chosen = [probability[row, list(cell.classes)].sum() for row, cell in enumerate(cells)]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


def fitted_temperature(cells: Sequence[Cell], logits: NDArray[np.float32]) -> float:
    """The temperature with the least negative log-likelihood, to 2 %."""
    candidates = np.exp(np.arange(np.log(0.3), np.log(4.0), 0.02))
    losses = [negative_log_likelihood(cells, logits, float(t)) for t in candidates]
    return float(candidates[int(np.argmin(losses))])


def _group(label: str) -> str:
    if label in _COARSE_LABELS:
        return _COARSE_LABELS[label]
    return next((name for name, members in PBC_GROUPS.items() if label in members), "")


def _best_group(probability: NDArray[np.float64]) -> NDArray[np.str_]:
    """The group, or the class outside all groups, with the largest summed probability."""
    members = dict(PBC_GROUPS)
    grouped = {name for names in PBC_GROUPS.values() for name in names}
    members |= {name: (name,) for name in CLASSES if name not in grouped}
    sums = np.stack(
        [probability[:, [CLASSES.index(n) for n in names]].sum(axis=1) for names in members.values()], axis=1
    )
    return np.asarray(np.array(list(members))[sums.argmax(axis=1)])


def _f1(named: NDArray[np.str_], true: NDArray[np.str_], name: str) -> float:
    hits = float(np.sum((named == name) & (true == name)))
    return 2 * hits / max(1.0, float(np.sum(named == name) + np.sum(true == name)))
