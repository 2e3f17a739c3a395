"""Samples of real cells: a laboratory is left out, some of its cells are checked, others are counted."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from intervals_simulated.samples import CheckedCells, Sample
from intervals_simulated.world import MIXES
from leukoscope.inference.bundle import ClassifierFacts
from leukoscope.inference.validation import ConfusionMatrix
from leukoscope.specimen.cell import UNSURE
from named_cells.cache import NamedCells

FEWEST_CELLS = 200
"""Of a laboratory: the checked ones and as many to count."""
FEWEST_OF_SPECIMEN, SPECIMENS_CHECKED = 30, 3
ALIKENESS = 60.0
"""How alike samples of one mix are, as in `world`."""
USED = ("normal", "left shift", "lymphocytes", "monocytes")
"""Mixes that are drawn of real cells."""


def _of_three(specimens: Sequence[NDArray[np.intp]], checked: int) -> NDArray[np.intp]:
    """As many of each of three specimens; what these lack comes from further ones."""
    of_each = -(-checked // SPECIMENS_CHECKED)
    return np.concatenate([cells[:of_each] for cells in specimens])[:checked]


class Laboratory:
    """The labelled cells of one laboratory, and what its labels mean."""

    def __init__(self, cells: NamedCells, facts: ClassifierFacts, means: Mapping[str, tuple[str, ...]]) -> None:
        self.cells = cells
        self._facts = facts
        classes = {one.key: one.in_differential for one in facts.classes}
        group_of = {frozenset(members): name for name, members in facts.groups.items()}
        self.truth = tuple(self._truth(label, means, group_of) for label in cells.labels)
        fine = {label for label in self.truth if label in classes}
        # A coarse label of which there are fine ones too cannot be distinguished from them: its cells are left out.
        self.kept = np.array(
            [
                number
                for number, label in enumerate(self.truth)
                if label in classes or (label in facts.groups and not fine & set(facts.groups[label]))
            ],
            dtype=np.intp,
        )
        labels = sorted({self.truth[number] for number in self.kept})
        self.parts = {
            label: list(facts.groups.get(label, (label,)))
            for label in labels
            if all(classes[key] for key in facts.groups.get(label, (label,)))
        }

    def matrix(self) -> ConfusionMatrix:
        """Of all its cells."""
        answers = (*(one.key for one in self._facts.classes), UNSURE)
        return self.checked(np.arange(len(self.cells))).matrix(answers)

    def drawn(
        self, others: tuple[ConfusionMatrix, ...], checked: int, cells: int, samples: int, rng: np.random.Generator
    ) -> Iterator[Sample]:
        """Samples of each mix of normal and other blood, each beside other checked cells."""
        for mix_name in USED:
            for _ in range(samples):
                order = rng.permutation(self.kept)
                bench = self._pick(self._mix("normal", rng), checked, order[: len(order) // 2], rng)
                mix = self._mix(mix_name, rng)
                rest = np.setdiff1d(self.kept, bench)
                yield self._sample(mix, self._pick(mix, cells, rest, rng), bench, others)

    def specimens(
        self, others: tuple[ConfusionMatrix, ...], checked: int, cells: int, samples: int, rng: np.random.Generator
    ) -> Iterator[Sample]:
        """Samples of one specimen each (a patient, a slide) as it is, beside checked cells of three others."""
        groups = np.array(self.cells.groups)[self.kept]
        names, sizes = np.unique(groups, return_counts=True)
        counted = names[sizes >= FEWEST_OF_SPECIMEN]
        if len(counted) <= SPECIMENS_CHECKED:
            return
        for specimen in counted:
            own = self.kept[groups == specimen]
            labels = [self.truth[number] for number in own]
            if not any(label in self.parts for label in labels):
                continue
            mix = {label: labels.count(label) / len(labels) for label in set(labels)}
            for _ in range(samples):
                of_others = [
                    rng.permutation(self.kept[groups == name]) for name in rng.permutation(names[names != specimen])
                ]
                bench = _of_three(of_others, checked)
                yield self._sample(mix, rng.choice(own, cells), bench, others, "specimens")

    def _sample(
        self,
        mix: Mapping[str, float],
        counted: NDArray[np.intp],
        bench: NDArray[np.intp],
        others: tuple[ConfusionMatrix, ...],
        what: str = "",
    ) -> Sample:
        white = sum(share for label, share in mix.items() if label in self.parts)
        return Sample(
            world=f"{self.cells.laboratory} {what}".strip(),
            parts=self.parts,
            truth={part: mix.get(part, 0.0) / white for part in self.parts},
            answers=tuple(self.cells.answers[number] for number in counted),
            probabilities=self.cells.probabilities[counted],
            checked=self.checked(bench),
            others=others,
        )

    def checked(self, chosen: Sequence[int] | NDArray[np.intp]) -> CheckedCells:
        """These of its cells, as a person would name them."""
        return CheckedCells(
            tuple(self.truth[number] for number in chosen),
            tuple(self.cells.answers[number] for number in chosen),
            self.cells.probabilities[np.asarray(chosen, dtype=np.intp)],
            tuple(self.cells.groups[number] for number in chosen),
        )

    def _mix(self, name: str, rng: np.random.Generator) -> dict[str, float]:
        """A mix of the laboratory's labels, varied as samples are."""
        shares = np.array([sum(MIXES[name].get(key, 0.0) for key in keys) for keys in self.parts.values()])
        drawn = rng.standard_gamma(ALIKENESS * shares / shares.sum() + 1e-9)
        return dict(zip(self.parts, (drawn / drawn.sum()).tolist(), strict=True))

    def _pick(
        self, mix: Mapping[str, float], cells: int, among: NDArray[np.intp], rng: np.random.Generator
    ) -> NDArray[np.intp]:
        """Cells of the mix; each at most once as long as there are enough."""
        found = []
        for label, count in zip(mix, rng.multinomial(cells, list(mix.values())), strict=True):
            of_label = np.array([number for number in among if self.truth[number] == label], dtype=np.intp)
            if not len(of_label) and count:
                of_label = np.array([number for number in self.kept if self.truth[number] == label], dtype=np.intp)
            if count:
                found.append(rng.choice(of_label, count, replace=count > len(of_label)))
        return np.concatenate(found) if found else np.zeros(0, dtype=np.intp)

    def _truth(self, label: str, means: Mapping[str, tuple[str, ...]], group_of: Mapping[frozenset[str], str]) -> str:
        may = means.get(label, (label,))
        return may[0] if len(may) == 1 else group_of.get(frozenset(may), "")
