"""How laboratories' cells were named: counts by true class and answer, of the validation's laboratories and a bench."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leukoscope.errors import BundleError
from leukoscope.inference.bundle import ClassifierFacts
from leukoscope.inference.validation import ConfusionMatrix, Validation
from leukoscope.specimen.cell import UNSURE

Cells = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NamingRecord:
    """Checked cells of laboratories, K classes by K + 1 answers.

    A cell's answer has two levels, because many collections know a cell's group alone ("neutrophil"): which group or
    other answer it was given, which all cells tell, and which class of its own group, which cells with a fine label
    tell. Cells with a coarse label are shared out to the classes they may be, in proportion to the fine ones.
    """

    classes: tuple[str, ...]
    """Every class of the bundle."""
    named: tuple[str, ...]
    """Every answer: the classes in the same order, then "unsure"."""
    group: NDArray[np.intp]
    """Shape (K,): the number of each class's group; a class without a group is alone in its own."""
    answers: Cells
    """Shape (laboratories, K, K + 1): cells by true class and answer, those with a coarse label shared out. Answers
    inside the own group stand in the column of the class itself."""
    inside: Cells
    """Shape (laboratories, K, K): cells with a fine label that were given a class of their own group, by that class."""
    cells: tuple[int, ...]
    """Checked cells per class with a fine label."""
    unused: tuple[str, ...] = ()
    """Labels that are neither a class nor a group, so that nothing could be learnt from them."""

    @classmethod
    def of(cls, matrices: Iterable[ConfusionMatrix], facts: ClassifierFacts) -> "NamingRecord":
        """From matrices, one per laboratory.

        Raises:
            BundleError: a matrix counts an answer that this bundle cannot give.
        """
        classes = tuple(one.key for one in facts.classes)
        return cls.of_classes(matrices, classes, facts.groups)

    @classmethod
    def of_classes(
        cls, matrices: Iterable[ConfusionMatrix], classes: tuple[str, ...], groups: Mapping[str, Sequence[str]]
    ) -> "NamingRecord":
        """The same for these classes and groups."""
        place = {key: number for number, key in enumerate(classes)}
        group = _group_numbers(classes, groups)
        rows = [_rows(matrix, (*classes, UNSURE)) for matrix in matrices]
        fine = np.zeros((len(rows), len(classes), len(classes) + 1))
        for laboratory, found in enumerate(rows):
            for label, counts in found:
                if label in place:
                    fine[laboratory, place[label]] += counts
        cells = fine.sum(axis=(0, 2))
        own = group[:, None] == group[None, :]
        inside = np.where(own[None], fine[:, :, :-1], 0.0)
        answers = fine.copy()
        for laboratory, found in enumerate(rows):
            for label, counts in found:
                members = [place[key] for key in groups.get(label, ()) if key in place]
                if label not in place and members:
                    # Half a cell each, so that a class of which no laboratory has a fine label gets its part.
                    share = (cells[members] + 0.5) / (cells[members] + 0.5).sum()
                    answers[laboratory, members] += share[:, None] * counts[None, :]
        within = np.where(own[None], answers[:, :, :-1], 0.0).sum(axis=2)
        answers[:, :, :-1][np.broadcast_to(own[None], answers[:, :, :-1].shape)] = 0.0
        answers[:, np.arange(len(classes)), np.arange(len(classes))] = within
        known = {*classes, *groups}
        return cls(
            classes=classes,
            named=(*classes, UNSURE),
            group=group,
            answers=answers,
            inside=inside,
            cells=tuple(int(count) for count in cells),
            unused=tuple(sorted({label for found in rows for label, _ in found} - known)),
        )

    @classmethod
    def read(cls, validation: Validation, facts: ClassifierFacts) -> "NamingRecord":
        """The laboratories of a bundle's validation; errors as in `of`."""
        return cls.of(validation.matrices, facts)

    def to_json(self) -> dict[str, Any]:
        """As lists, for the grounds of a report."""
        return {
            "classes": self.classes,
            "group": self.group.tolist(),
            "answers": _sparse(self.answers),
            "inside": _sparse(self.inside),
            "cells": self.cells,
            "laboratories": len(self.answers),
            "unused": self.unused,
        }

    @classmethod
    def from_json(cls, read: Mapping[str, Any]) -> "NamingRecord":
        """What `to_json` gave."""
        size, laboratories = len(read["classes"]), int(read["laboratories"])
        return cls(
            classes=tuple(read["classes"]),
            named=(*read["classes"], UNSURE),
            group=np.array(read["group"], dtype=np.intp),
            answers=_dense(read["answers"], (laboratories, size, size + 1)),
            inside=_dense(read["inside"], (laboratories, size, size)),
            cells=tuple(read["cells"]),
            unused=tuple(read["unused"]),
        )


def _sparse(cells: Cells) -> list[list[float]]:
    return [[*map(int, index), float(cells[tuple(index)])] for index in np.argwhere(cells)]


def _dense(entries: Iterable[Sequence[float]], shape: tuple[int, ...]) -> Cells:
    cells = np.zeros(shape)
    for *index, value in entries:
        cells[tuple(int(one) for one in index)] = value
    return cells


def _rows(matrix: ConfusionMatrix, named: Sequence[str]) -> list[tuple[str, Cells]]:
    """Label and counts of each row, with the columns in the order of `named`."""
    place = {key: number for number, key in enumerate(named)}
    if unknown := set(matrix.named) - set(named):
        raise BundleError(
            f"the validation of {matrix.collection} counts answers {sorted(unknown)}, which are no classes of the "
            "bundle",
            "install the bundle again",
        )
    columns = [place[key] for key in matrix.named]
    rows = []
    for label, counts in zip(matrix.truth, matrix.counts, strict=True):
        row = np.zeros(len(named))
        np.add.at(row, columns, counts)
        rows.append((label, row))
    return rows


def _group_numbers(classes: Sequence[str], groups: Mapping[str, Sequence[str]]) -> NDArray[np.intp]:
    name_of = {key: name for name, members in groups.items() for key in members}
    names = [name_of.get(key, f"={key}") for key in classes]
    return np.array([names.index(name) for name in names], dtype=np.intp)
