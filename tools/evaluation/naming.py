"""Scores of named cells against annotated ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PBC_8 = {
    "neutrophil": ("segmented", "band", "neutrophil", "neutrophil_unspecified"),
    "immature_granulocyte": (
        "promyelocyte",
        "myelocyte",
        "metamyelocyte",
        "immature_granulocyte_unspecified",
    ),
    "basophil": ("basophil",),
    "eosinophil": ("eosinophil",),
    "erythroblast": ("erythroblast",),
    "lymphocyte": ("lymphocyte", "lymphocyte_variant"),
    "monocyte": ("monocyte", "promonocyte"),
    "platelet": ("platelet", "giant_thrombocyte", "thrombocyte_aggregation"),
}
RAABIN_5 = {key: PBC_8[key] for key in ("neutrophil", "eosinophil", "basophil", "lymphocyte", "monocyte")}
DEEPAPL_7 = {
    key: (key,) for key in ("segmented", "lymphocyte", "monocyte", "blast", "promyelocyte", "erythroblast", "smudge")
}
STAGES_5 = {key: (key,) for key in ("promyelocyte", "myelocyte", "metamyelocyte", "band", "segmented")}

Groups = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class NamingScore:
    """What a list of answers is worth."""

    cells: int
    accuracy: float
    macro_f1: float
    """Mean of the F1 of each true class."""
    f1: Mapping[str, float]
    majority_accuracy: float
    """Accuracy of always naming the most frequent class."""
    within_one: float
    """Share named as the true group or one beside it; means something where groups are stages in their order."""


def group_of(label: str, groups: Groups) -> str | None:
    """The group a label belongs to, or None."""
    return next((group for group, members in groups.items() if label in members), None)


def answer_in(best: str, probabilities: Mapping[str, float], groups: Groups) -> tuple[str, float]:
    """The group a named class belongs to, and the group's probability; a class outside all groups stands alone."""
    group = group_of(best, groups)
    if group is None:
        return best, probabilities[best]
    return group, sum(probabilities.get(key, 0.0) for key in groups[group])


def score(truths: Sequence[str], answers: Sequence[str], groups: Groups) -> NamingScore:
    """Compare answers with truths, both given as group names.

    Raises:
        ValueError: there is nothing to compare.
    """
    if not truths:
        raise ValueError("expected labelled cells, found none")
    truth, answer = np.asarray(truths), np.asarray(answers)
    f1 = {}
    for group in groups:
        expected, named = truth == group, answer == group
        if expected.any():
            f1[group] = 2 * float((expected & named).sum()) / float(expected.sum() + named.sum())
    counts = [int((truth == group).sum()) for group in groups]
    order = {group: place for place, group in enumerate(groups)}
    # An answer outside the groups is no neighbour of any.
    apart = [abs(order[one] - order.get(other, 10**6)) for one, other in zip(truths, answers, strict=True)]
    return NamingScore(
        cells=len(truth),
        accuracy=float((truth == answer).mean()),
        macro_f1=float(np.mean(list(f1.values()))),
        f1=f1,
        majority_accuracy=max(counts) / len(truth),
        within_one=float(np.mean(np.asarray(apart) <= 1)),
    )


def expected_calibration_error(confidences: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 15) -> float:
    """Mean distance between confidence and accuracy over bins of confidence (Naeini et al. 2015).

    Args:
        confidences: probability of each answer, 0-1, shape (n,).
        right: whether it was right, shape (n,).
        bins: of equal width.
    """
    place = np.minimum((confidences * bins).astype(int), bins - 1)
    error = 0.0
    for index in range(bins):
        inside = place == index
        if inside.any():
            error += inside.mean() * abs(confidences[inside].mean() - right[inside].mean())
    return float(error)


def area_under_roc(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Probability that a positive scores above a negative, ties counting half (Mann-Whitney)."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    positives, negatives = int(truth.sum()), int((~truth).sum())
    return float((rank[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def sensitivity_at(specificity: float, scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Share of positives above the score that leaves at least this share of negatives at or below it."""
    limit = np.quantile(scores[~truth], specificity, method="higher")
    return float((scores[truth] > limit).mean())
