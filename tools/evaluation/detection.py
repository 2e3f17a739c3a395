"""Scores of found boxes against annotated ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from leukoscope.analysis.peaks import overlap

Boxes = NDArray[np.float32]
"""xmin, ymin, xmax, ymax in pixels, shape (n, 4)."""


def matches(found: Boxes, confidences: Sequence[float], expected: Boxes, iou: float = 0.5) -> dict[int, int]:
    """Found boxes that are right, and which annotated box each one is.

    Greedy, best confidence first, each annotated box once; a pair overlaps by at least `iou`.
    """
    right: dict[int, int] = {}
    if len(found) == 0 or len(expected) == 0:
        return right
    free = overlap(found, expected)
    for index in sorted(range(len(found)), key=lambda one: -confidences[one]):
        best = int(free[index].argmax())
        if free[index, best] >= iou:
            right[index] = best
            free[:, best] = 0.0
    return right


@dataclass(frozen=True, slots=True)
class Within:
    """The inner part of a picture."""

    cols: int
    rows: int
    margin: float
    """Pixels from each edge."""

    def holds(self, boxes: Boxes) -> NDArray[np.bool_]:
        """Which boxes keep clear of the margin."""
        end = np.array([self.cols, self.rows], dtype=np.float32) - self.margin
        return np.asarray((boxes[:, :2] > self.margin).all(axis=1) & (boxes[:, 2:] < end).all(axis=1))


@dataclass(slots=True)
class DetectionScore:
    """Adds up one kind of cell over many pictures."""

    iou: float = 0.5
    """Overlap from which a found box is right."""
    _confidences: list[float] = field(default_factory=list)
    _right: list[bool] = field(default_factory=list)
    _expected: int = 0
    _errors: list[int] = field(default_factory=list)
    _true_counts: list[int] = field(default_factory=list)

    def add(
        self,
        found: Boxes,
        confidences: Sequence[float],
        expected: Boxes,
        within: Within | None = None,
        doubtful: Boxes | None = None,
    ) -> None:
        """Add one picture's boxes.

        Args:
            found: by the method.
            confidences: of the found boxes.
            expected: by the annotators.
            within: which part of the picture counts; outside it neither side can be wrong.
            doubtful: boxes that may hold no cell: what is found there and is no expected cell does not count.
        """
        right = matches(found, confidences, expected, self.iou)
        counted = np.ones(len(expected), dtype=bool) if within is None else within.holds(expected)
        mine = np.ones(len(found), dtype=bool) if within is None else within.holds(found)
        if doubtful is not None and len(doubtful) and len(found):
            mine &= ~(overlap(found, doubtful) >= self.iou).any(axis=1)
        for index, partner in right.items():
            # A pair counts where its annotated box lies, however the found one differs.
            mine[index] = counted[partner]
        judged = np.flatnonzero(mine)
        self._confidences.extend(confidences[index] for index in judged.tolist())
        self._right.extend(index in right for index in judged.tolist())
        self._expected += int(counted.sum())
        self._errors.append(len(judged) - int(counted.sum()))
        self._true_counts.append(int(counted.sum()))

    @property
    def precision(self) -> float:
        """Share of found boxes that are right."""
        return sum(self._right) / max(1, len(self._right))

    @property
    def recall(self) -> float:
        """Share of annotated boxes that were found."""
        return sum(self._right) / max(1, self._expected)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * sum(self._right) / max(1, len(self._right) + self._expected)

    @property
    def average_precision(self) -> float:
        """Area under the interpolated precision-recall curve, all points (Pascal VOC since 2010).

        Boxes below the detector's own threshold are missing, so this is a lower bound.
        """
        if not self._expected or not self._right:
            return 0.0
        right = np.asarray(self._right)[np.argsort(-np.asarray(self._confidences), kind="stable")]
        hits = np.cumsum(right)
        precision = np.maximum.accumulate((hits / np.arange(1, len(right) + 1))[::-1])[::-1]
        recall = np.concatenate([[0.0], hits / self._expected])
        return float(np.sum(np.diff(recall) * precision))

    @property
    def count_error(self) -> float:
        """Mean absolute difference of cells per picture."""
        return float(np.mean(np.abs(self._errors)))

    @property
    def constant_guess_error(self) -> float:
        """The same for a guess that always says the best constant, the median of the true counts."""
        counts = np.asarray(self._true_counts)
        return float(np.mean(np.abs(counts - np.median(counts))))

    @property
    def mean_count(self) -> float:
        """Annotated cells per picture."""
        return float(np.mean(self._true_counts))
