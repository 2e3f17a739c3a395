"""Samples of named cells of known truth, and what a bench finds in them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from intervals_simulated.laboratories import Laboratory
from leukoscope.analysis.classifier import Classifier
from leukoscope.inference.bundle import Bundle, ClassifierFacts
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.reviewing.checked_cells import CheckedCell, CheckedReport
from leukoscope.reviewing.verification_progress import ENOUGH_SPECIMENS, VerificationProgress
from leukoscope.service.bench_naming import with_verification
from leukoscope.service.models import naming_of
from leukoscope.specimen.cell import UNSURE, Decision
from leukoscope.specimen.sample import Finding, RedCells
from leukoscope.statistics.rules import Rules
from leukoscope.statistics.summary import Counts, Naming, Summary, Undecided
from named_cells.cache import NamedCells

NORMAL = ("pbc", "raabin", "krd_wbc", "seg_wbc", "deepbionet")
NORMAL_MIX: Mapping[str, float] = {
    "segmented": 0.57, "band": 0.02, "lymphocyte": 0.30, "monocyte": 0.065, "eosinophil": 0.03, "basophil": 0.006,
}  # fmt: skip
LEFT_SHIFT: Mapping[str, float] = {"metamyelocyte": 0.5, "myelocyte": 0.35, "promyelocyte": 0.15}
"""Stages among the immature granulocytes of an infection: the riper, the more."""
BLASTS = ("taleqani", "cnmc", "deepapl")

Cells = list[tuple[NamedCells, int]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample, and cells of the same laboratory that people have checked before."""

    counted: Cells
    checked: Sequence[CheckedCell] = ()


class Judge:
    """Makes the findings of cells, as a bench would."""

    def __init__(self, bundle: Bundle, facts: ClassifierFacts, rules: Rules) -> None:
        self._bundle, self._facts = bundle, facts
        self._naming: Naming = naming_of(bundle)
        self._keys = [one.key for one in self._naming.classes]
        self._classifier = Classifier(bundle, OnnxSettings(threads=1).open(bundle))
        self._rules = rules
        self._decisions: dict[tuple[str, int], Decision] = {}

    def pointed(self, laboratory: NamedCells, number: int) -> str:
        """ "blast" for a cell that is named so, "suspect" for one that only may be, else empty."""
        decision = self._decide(laboratory, number)
        return "blast" if decision.cell_class == "blast" else "suspect" if "blast" in decision.suspect else ""

    def _decide(self, laboratory: NamedCells, number: int) -> Decision:
        key = (laboratory.laboratory, number)
        if key not in self._decisions:
            self._decisions[key] = self._classifier.decide(self._shares(laboratory, number))
        return self._decisions[key]

    def _shares(self, laboratory: NamedCells, number: int) -> dict[str, float]:
        return dict(zip(self._keys, laboratory.probabilities[number].tolist(), strict=True))

    def checked(self, laboratory: Laboratory, numbers: NDArray[np.intp]) -> tuple[CheckedCell, ...]:
        """These cells as the record of a bench holds them; of a coarse label a person names the class that is meant."""
        found = []
        for at, number in enumerate(numbers.tolist(), start=1):
            decision, truth = self._decide(laboratory.cells, number), laboratory.truth[number]
            members = self._facts.groups.get(truth, (truth,))
            name = decision.cell_class if decision.cell_class in members else members[0]
            found.append(CheckedCell(number=at, answer=decision.cell_class, truth=name, suspect=decision.suspect))
        return tuple(found)

    def _naming_with(self, checked: Sequence[CheckedCell]) -> Naming:
        if not checked:
            return self._naming
        progress = VerificationProgress(_reports_of(checked), chosen=0, expired=(), not_live=())
        correction = progress.correction(self._bundle, self._facts)
        return self._naming if correction is None else with_verification(self._naming, correction, progress)

    def findings(self, sample: Drawn) -> tuple[Finding, ...]:
        """Of the cells of a sample."""
        named: Counter[str] = Counter()
        suspects: Counter[str] = Counter()
        unsure = []
        for laboratory, number in sample.counted:
            decision = self._decide(laboratory, number)
            named[decision.cell_class] += 1
            suspects.update(decision.suspect)
            if decision.cell_class == UNSURE:
                unsure.append(self._shares(laboratory, number))
        counts = Counts(named, {}, RedCells(0, None, None, None), 0, None, Undecided(suspects, tuple(unsure)))
        return Summary(counts, self._naming_with(sample.checked), 0.1, self._rules).judge(None)[2]


def _reports_of(checked: Sequence[CheckedCell]) -> tuple[CheckedReport, ...]:
    """As many reports as a verification needs, each of one specimen."""
    facts = {"version": 2, "source": "live", "classifier": "0" * 64, "calibration": "bench", "camera": "", "by": ("B",)}
    return tuple(
        CheckedReport.model_validate(
            facts | {"report": f"{at}", "specimen": f"{at}", "at": datetime.now(UTC), "cells": own,
                     "drawn": [cell.number for cell in own]}
        )
        for at in range(ENOUGH_SPECIMENS)
        for own in [tuple(checked[at::ENOUGH_SPECIMENS])]
    )  # fmt: skip


class Pool:
    """Malignant cells by what the classifier makes of them."""

    def __init__(self, laboratories: Mapping[str, Laboratory], judge: Judge) -> None:
        self._laboratories = laboratories
        self._cells: dict[str, Cells] = {"blast": [], "suspect": [], "": []}
        for name in BLASTS:
            for number in _of(laboratories[name], "blast"):
                cell = (laboratories[name].cells, int(number))
                if kind := judge.pointed(*cell):
                    self._cells[kind].append(cell)
        # A malignant cell that is not pointed at has the look of a normal one.
        for name in NORMAL:
            cells = laboratories[name].cells
            for key in ("lymphocyte", "monocyte"):
                self._cells[""] += [
                    (cells, int(one)) for one in _of(laboratories[name], key) if not judge.pointed(cells, int(one))
                ]

    def cells(self, malignant: int, blasts: float, suspects: float, rng: np.random.Generator) -> Cells:
        """So many malignant cells, pointed at so often."""
        named, only_suspect = round(blasts * malignant), round(suspects * malignant)
        counts = (("blast", named), ("suspect", only_suspect), ("", malignant - named - only_suspect))
        return [
            self._cells[kind][one]
            for kind, count in counts
            for one in _pick(np.arange(len(self._cells[kind])), count, rng)
        ]


class Drawing:
    """Draws samples of `cells` cells, and for each `checked` normal cells of its laboratory that it does not hold."""

    def __init__(self, judge: Judge, cells: int, checked: int, rng: np.random.Generator) -> None:
        self._judge, self._size, self._checked, self._rng = judge, cells, checked, rng

    def normal(self, laboratory: Laboratory, beside: Cells | None = None) -> Drawn:
        """Normal cells of a laboratory, `beside` among them."""
        counted = list(beside or ())
        checked = self._normal(laboratory, self._checked, np.zeros(0, np.intp))
        # In no order: each specimen of the record gets its part of each class.
        own = self._judge.checked(laboratory, self._rng.permutation(checked))
        counted += [
            (laboratory.cells, int(number)) for number in self._normal(laboratory, self._size - len(counted), checked)
        ]
        return Drawn(counted, own)

    def left_shift(self, laboratory: Laboratory, share: float) -> Drawn:
        """Normal cells of a laboratory and its immature granulocytes: many, and no leukaemia."""
        stages = [
            (laboratory.cells, int(number))
            for label, part in LEFT_SHIFT.items()
            for number in _pick(_of(laboratory, label), round(part * share * self._size), self._rng)
        ]
        return self.normal(laboratory, stages)

    def mixed(self, source: Laboratory, laboratories: Mapping[str, Laboratory], share: float) -> Drawn:
        """Blasts of one laboratory among normal cells of another, which is drawn."""
        normal = [name for name in NORMAL if laboratories[name] is not source]
        blasts = _pick(_of(source, "blast"), round(share * self._size), self._rng)
        return self.normal(
            laboratories[str(self._rng.choice(normal))], [(source.cells, int(number)) for number in blasts]
        )

    def not_seen(
        self, pool: Pool, laboratories: Mapping[str, Laboratory], share: float, blasts: float, suspects: float
    ) -> Drawn:
        """Malignant cells that are pointed at so often among normal ones."""
        malignant = pool.cells(round(share * self._size), blasts, suspects, self._rng)
        return self.normal(laboratories[str(self._rng.choice(NORMAL))], malignant)

    def patients(self, laboratory: Laboratory, samples: int) -> Iterator[Drawn]:
        """Patients with at least a fifth of blasts and promyelocytes among their white cells, each as it is."""
        groups = np.array(laboratory.cells.groups)[laboratory.kept]
        patients = []
        for name in np.unique(groups):
            own = laboratory.kept[groups == name]
            labels = [laboratory.truth[number] for number in own]
            white = [label for label in labels if label in laboratory.parts]
            if len(own) >= 10 and sum(label in ("blast", "promyelocyte") for label in white) >= 0.2 * len(white) > 0:
                patients.append(own)
        for number in range(samples if patients else 0):
            chosen = _pick(patients[number % len(patients)], self._size, self._rng)
            yield Drawn([(laboratory.cells, int(one)) for one in chosen])

    def _normal(self, laboratory: Laboratory, cells: int, but: NDArray[np.intp]) -> NDArray[np.intp]:
        """Numbers of cells by a normal mix, a little varied; classes that the laboratory lacks are left out."""
        shares = np.array([sum(NORMAL_MIX.get(key, 0.0) for key in keys) for keys in laboratory.parts.values()])
        drawn = self._rng.standard_gamma(200 * shares / shares.sum() + 1e-9)
        counts = self._rng.multinomial(cells, drawn / drawn.sum())
        found = [np.zeros(0, np.intp)]
        for label, count in zip(laboratory.parts, counts, strict=True):
            of_label = _of(laboratory, label)
            left = np.setdiff1d(of_label, but)
            found.append(_pick(left if len(left) else of_label, count, self._rng))
        return np.concatenate(found)


def _of(laboratory: Laboratory, label: str) -> NDArray[np.intp]:
    return np.array([number for number in laboratory.kept if laboratory.truth[number] == label], dtype=np.intp)


def _pick(among: NDArray[np.intp], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Each at most once as long as there are enough."""
    return rng.choice(among, count, replace=count > len(among)) if len(among) else among
