"""One counted sample with known truth, whether its cells were drawn or are real."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leukoscope.inference.validation import ConfusionMatrix

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CheckedCells:
    """The cells of the bench that a person has named."""

    labels: tuple[str, ...]
    answers: tuple[str, ...]
    probabilities: Floats
    """Shape (cells, classes)."""
    specimens: tuple[str, ...] = ()
    """Of each cell; none where that is not known."""

    def matrices(self, answers: tuple[str, ...]) -> tuple[ConfusionMatrix, ...]:
        """As a bench's record holds them, one per specimen."""
        if not self.specimens:
            return (self.matrix(answers),)
        return tuple(
            self._of([number for number, one in enumerate(self.specimens) if one == name]).matrix(answers)
            for name in sorted(set(self.specimens))
        )

    def _of(self, chosen: list[int]) -> "CheckedCells":
        return CheckedCells(
            tuple(self.labels[number] for number in chosen),
            tuple(self.answers[number] for number in chosen),
            self.probabilities[chosen],
        )

    def matrix(self, answers: tuple[str, ...]) -> ConfusionMatrix:
        """All in one."""
        truth = tuple(sorted(set(self.labels)))
        counts = np.zeros((len(truth), len(answers)), dtype=int)
        for label, answer in zip(self.labels, self.answers, strict=True):
            counts[truth.index(label), answers.index(answer)] += 1
        return ConfusionMatrix(
            collection="bench",
            held_out_by="slide",
            truth=truth,
            named=answers,
            counts=tuple(tuple(int(count) for count in row) for row in counts),
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample, what is known of its bench, and of other laboratories."""

    world: str
    """The laboratory, or the mix."""
    parts: Mapping[str, list[str]]
    """What is judged, and the classes that it stands for."""
    truth: Mapping[str, float]
    """True share of the white cells by part, 0-1."""
    answers: tuple[str, ...]
    """Of each cell."""
    probabilities: Floats
    """Shape (cells, classes)."""
    checked: CheckedCells
    others: tuple[ConfusionMatrix, ...]

    @property
    def named(self) -> dict[str, int]:
        """Cells by answer."""
        return {key: self.answers.count(key) for key in set(self.answers)}
