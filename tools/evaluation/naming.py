"""Scores of named cells against annotated ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ERYTHROID_4 = {
    key: (key,)
    for key in (
        "pronormoblast",
        "basophilic_normoblast",
        "polychromatic_normoblast",
        "orthochromatic_normoblast",
    )
}
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
    "erythroblast": ("erythroblast", *ERYTHROID_4),
    "lymphocyte": ("lymphocyte", "lymphocyte_variant"),
    "monocyte": ("monocyte", "promonocyte"),
    "platelet": ("platelet", "giant_thrombocyte", "thrombocyte_aggregation"),
}
RAABIN_5 = {key: PBC_8[key] for key in ("neutrophil", "eosinophil", "basophil", "lymphocyte", "monocyte")}
DEEPAPL_7 = {key: (key,) for key in ("segmented", "lymphocyte", "monocyte", "blast", "promyelocyte")} | {
    "erythroblast": PBC_8["erythroblast"],
    "smudge": ("smudge",),
}
STAGES_5 = {key: (key,) for key in ("promyelocyte", "myelocyte", "metamyelocyte", "band", "segmented")}
STAGES_10 = {"blast": ("blast",)} | STAGES_5 | ERYTHROID_4
"""From myeloblast to segmented neutrophil, and from pronormoblast to orthochromatic normoblast."""

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


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers of about one confidence."""

    cells: int
    confidence: float
    """Their mean probability, 0-1."""
    right: float
    """Share of them that is right, 0-1."""


def reliability(confidences: Sequence[float], right: Sequence[bool], bins: int = 15) -> list[Bin]:
    """Answers by confidence, in bins of equal width; empty ones are left out.

    Args:
        confidences: probability of each answer, 0-1.
        right: whether it was right.
        bins: how many.
    """
    stated, true = np.asarray(confidences), np.asarray(right)
    place = np.minimum((stated * bins).astype(int), bins - 1)
    return [
        Bin(int(inside.sum()), float(stated[inside].mean()), float(true[inside].mean()))
        for inside in (place == index for index in range(bins))
        if inside.any()
    ]


def expected_calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 15) -> float:
    """Mean distance between confidence and accuracy over bins of confidence (Naeini et al. 2015)."""
    filled = reliability(confidences, right, bins)
    return sum(one.cells * abs(one.confidence - one.right) for one in filled) / len(confidences)


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
