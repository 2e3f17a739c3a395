"""Samples of known mix, named by a classifier whose errors are known."""

from collections.abc import Iterator, Mapping

import numpy as np

from intervals_simulated.samples import CheckedCells, Floats, Sample
from leukoscope.inference.bundle import ClassifierFacts
from leukoscope.inference.validation import ConfusionMatrix, Validation
from leukoscope.specimen.cell import UNSURE

MIXES: Mapping[str, Mapping[str, float]] = {
    "normal": {
        "segmented": 0.55, "band": 0.03, "metamyelocyte": 0.003, "blast": 0.002, "lymphocyte": 0.29,
        "lymphocyte_variant": 0.012, "monocyte": 0.065, "eosinophil": 0.03, "basophil": 0.008,
    },
    "left shift": {
        "segmented": 0.50, "band": 0.16, "metamyelocyte": 0.06, "myelocyte": 0.04, "promyelocyte": 0.015,
        "blast": 0.005, "lymphocyte": 0.14, "monocyte": 0.06, "eosinophil": 0.015, "basophil": 0.01,
    },
    "lymphocytes": {
        "segmented": 0.20, "band": 0.01, "lymphocyte": 0.68, "lymphocyte_variant": 0.06, "monocyte": 0.03,
        "eosinophil": 0.015, "basophil": 0.005,
    },
    "eosinophils": {
        "segmented": 0.40, "band": 0.02, "lymphocyte": 0.23, "monocyte": 0.05, "eosinophil": 0.28, "basophil": 0.02,
    },
    "monocytes": {
        "segmented": 0.40, "band": 0.05, "metamyelocyte": 0.02, "myelocyte": 0.02, "lymphocyte": 0.20,
        "monocyte": 0.25, "promonocyte": 0.03, "eosinophil": 0.02, "basophil": 0.01,
    },
    "5 % blasts": {
        "segmented": 0.48, "band": 0.05, "metamyelocyte": 0.02, "myelocyte": 0.02, "promyelocyte": 0.01,
        "blast": 0.05, "lymphocyte": 0.28, "monocyte": 0.06, "eosinophil": 0.02, "basophil": 0.01,
    },
    "20 % blasts": {
        "segmented": 0.35, "band": 0.05, "metamyelocyte": 0.02, "myelocyte": 0.02, "promyelocyte": 0.02,
        "blast": 0.20, "lymphocyte": 0.25, "monocyte": 0.06, "eosinophil": 0.02, "basophil": 0.01,
    },
    "60 % blasts": {
        "segmented": 0.12, "band": 0.02, "myelocyte": 0.015, "promyelocyte": 0.03, "blast": 0.57, "promonocyte": 0.02,
        "lymphocyte": 0.15, "monocyte": 0.06, "eosinophil": 0.01, "basophil": 0.005,
    },
}  # fmt: skip
"""Shares of the white cells; what a bundle cannot name is left out."""
BESIDE = {"erythroblast": 0.01, "smudge": 0.03, "artefact": 0.015, "giant_thrombocyte": 0.005}
"""What else is found, as a share of all found."""
ALIKENESS = 80.0
"""How alike samples of one mix are: a share p varies with a standard deviation of sqrt(p (1 - p) / 81)."""


class World:
    """A classifier whose matrix is known; draws validations of the size of a real one, and samples."""

    def __init__(self, validation: Validation, facts: ClassifierFacts, *, between: float = 0.0) -> None:
        """Take the rows of a real validation for the truth, a little smoothed.

        Args:
            validation: gives the rows, and how many cells of which label each collection holds.
            facts: the classifier's.
            between: share of the variance of an answer between laboratories, 0 to below 1; with 0 all are alike.
        """
        self.facts = facts
        self._validation = validation
        self._between = between
        self._classes = [one.key for one in facts.classes]
        self._answers = [*self._classes, UNSURE]
        self._place = {key: number for number, key in enumerate(self._classes)}
        self._differential = [one.key for one in facts.classes if one.in_differential]
        size = len(self._classes)
        rows = np.full((size, size + 1), 1 / (size + 1)) + 2 * np.eye(size, size + 1)
        for matrix in validation.matrices:
            columns = [self._answers.index(key) for key in matrix.named]
            for label, counts in zip(matrix.truth, matrix.counts, strict=True):
                if label in self._place:
                    rows[self._place[label], columns] += counts
        self._rows: Floats = rows / rows.sum(axis=1, keepdims=True)

    def samples(self, cells: int, number: int, rng: np.random.Generator, checked: int = 100) -> Iterator[Sample]:
        """`number` samples of each mix, each on a bench of its own with so many checked cells of normal blood."""
        normal = self._mean("normal")
        for name in MIXES:
            mean = self._mean(name)
            for _ in range(number):
                bench = self._laboratory(rng)
                mix = rng.standard_gamma(ALIKENESS * mean)
                mix /= mix.sum()
                _, answers = self._cells(mix, bench, cells, rng)
                known, said = self._cells(normal, bench, checked, rng)
                yield Sample(
                    world="simulated",
                    parts=self.parts(),
                    truth=self._truth(mix),
                    answers=tuple(self._answers[answer] for answer in answers),
                    probabilities=self._posteriors(answers),
                    checked=CheckedCells(
                        tuple(self._classes[truth] for truth in known),
                        tuple(self._answers[answer] for answer in said),
                        self._posteriors(said),
                    ),
                    others=self._validate(rng),
                )

    def _mean(self, name: str) -> Floats:
        wanted = {key: 0.94 * share for key, share in MIXES[name].items()} | BESIDE
        mean = np.array([wanted.get(key, 0.0) for key in self._classes])
        return np.asarray(mean / mean.sum())

    def _cells(self, mix: Floats, rows: Floats, cells: int, rng: np.random.Generator) -> tuple[list[int], list[int]]:
        """True class and answer of each cell."""
        truths = [int(truth) for truth in rng.choice(len(mix), cells, p=mix)]
        return truths, [int(rng.choice(len(self._answers), p=rows[truth])) for truth in truths]

    def _posteriors(self, answers: list[int]) -> Floats:
        """What the mean classifier believes of a cell with this answer, in normal blood."""
        shares = self._rows * (self._mean("normal") + 1e-3)[:, None]
        return np.asarray((shares / shares.sum(axis=0)).T[answers])

    def parts(self) -> dict[str, list[str]]:
        """Classes and groups of the differential, and the classes each stands for."""
        parts = {key: [key] for key in self._differential}
        for group, members in self.facts.groups.items():
            if inside := [key for key in members if key in self._differential]:
                parts[group] = inside
        return parts

    def _truth(self, mix: Floats) -> dict[str, float]:
        white = mix[[self._place[key] for key in self._differential]].sum()
        return {
            name: float(mix[[self._place[key] for key in keys]].sum() / white) for name, keys in self.parts().items()
        }

    def _laboratory(self, rng: np.random.Generator) -> Floats:
        if not self._between:
            return self._rows
        drawn = rng.standard_gamma(self._rows * (1 - self._between) / self._between) + 1e-12
        return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))

    def _validate(self, rng: np.random.Generator) -> tuple[ConfusionMatrix, ...]:
        """The same labels and sizes as the real validation, in laboratories that are drawn."""
        matrices = []
        for matrix in self._validation.matrices:
            rows = self._laboratory(rng)
            kept = [label for label in matrix.truth if label in self._place]
            sizes = {label: sum(counts) for label, counts in zip(matrix.truth, matrix.counts, strict=True)}
            counts = [rng.multinomial(sizes[label], rows[self._place[label]]) for label in kept]
            matrices.append(
                ConfusionMatrix(
                    collection=matrix.collection,
                    held_out_by=matrix.held_out_by,
                    truth=tuple(kept),
                    named=tuple(self._answers),
                    counts=tuple(tuple(int(count) for count in row) for row in counts),
                )
            )
        return tuple(matrices)
