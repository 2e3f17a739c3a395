"""What a bundle's validation says about each class: one row of answers per class, from all collections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from leukoscope.errors import BundleError
from leukoscope.inference.bundle import ClassifierFacts
from leukoscope.inference.validation import ConfusionMatrix, Validation
from leukoscope.specimen.cell import UNSURE

Cells = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ConfusionRows:
    """How cells of each class were named, in cells; K classes by K + 1 answers.

    A class's rows of all collections are added, each scaled down to the number of independent cells it is worth:
    m cells of one collection count as m / (1 + (m - 1) between), because laboratories differ (stain, camera, who
    labelled) and another thousand cells of one of them say little about the next (design effect: Kish, Survey
    Sampling, 1965; for overdispersed counts Williams, Applied Statistics 31, 1982). The bench is one more such
    laboratory, which differs from the mean of the others as they do: w cells are worth w / (1 + w between) to it.
    Where collections differ by no more than chance, every cell counts in full.
    """

    classes: tuple[str, ...]
    """Every class of the bundle, one per row."""
    named: tuple[str, ...]
    """Every answer, one per column: the classes in the same order, then "unsure"."""
    worth: Cells
    """Shape (K, K + 1): independent cells by truth and answer; 0 for a class nobody validated."""
    inside: Cells
    """Shape (K,): further independent cells known to be named inside the class's own group, nobody knows as what."""
    group: NDArray[np.intp]
    """Shape (K,): the number of each class's group; a class without a group is alone in its own."""
    cells: tuple[int, ...]
    """Validated cells per class, before scaling."""
    between: float
    """Share of the variance of an answer that lies between laboratories, 0-1; 0 when they agree."""
    unused: tuple[str, ...]
    """Labels in the validation that are neither a class nor a group, so that nothing could be learnt from them."""

    @property
    def unvalidated(self) -> tuple[str, ...]:
        """Classes of which no cell was validated: nobody knows how they are named."""
        return tuple(key for key, cells in zip(self.classes, self.cells, strict=True) if not cells)


def merge_confusion(validation: Validation, facts: ClassifierFacts) -> ConfusionRows:
    """Join the matrices of all collections.

    A label that is a class adds to that class. A label that is a group, such as "neutrophil", cannot tell which of
    its classes was meant, so it is used for one thing only: how often, and as what, cells of the group are named
    outside it. These cells are shared out to the group's classes in proportion to the cells validated by class.
    Any other label is listed as unused.

    Raises:
        BundleError: the validation counts an answer this bundle cannot give.
    """
    classes = tuple(one.key for one in facts.classes)
    place = {key: number for number, key in enumerate(classes)}
    group = _group_numbers(classes, facts.groups)
    rows = [row for matrix in validation.matrices for row in _rows(matrix, (*classes, UNSURE))]
    exact = {
        key: [counts for _, counts in found]
        for key, found in groupby(sorted((row for row in rows if row[0] in place), key=_label), key=_label)
    }
    between = estimate_between(list(exact.values()))
    worth = np.zeros((len(classes), len(classes) + 1))
    cells = np.zeros(len(classes), dtype=int)
    for key, found in exact.items():
        worth[place[key]] = sum(scale_down(counts, between) for counts in found)
        cells[place[key]] = sum(counts.sum() for counts in found)
    inside = np.zeros(len(classes))
    extra = np.zeros_like(worth)
    for label, counts in rows:
        members = [place[key] for key in facts.groups.get(label, ()) if cells[place[key]]]
        if label not in place and members:
            column_inside = np.append(np.isin(np.arange(len(classes)), members), False)
            scaled = scale_down(counts, between)
            for member in members:
                share = cells[member] / cells[members].sum()
                inside[member] += share * scaled[column_inside].sum()
                extra[member] += share * np.where(column_inside, 0.0, scaled)
    worth += extra
    to_another = 1 / (1 + between * (worth.sum(axis=1) + inside))
    known = set(classes) | set(facts.groups)
    return ConfusionRows(
        classes=classes,
        named=(*classes, UNSURE),
        worth=worth * to_another[:, None],
        inside=inside * to_another,
        group=group,
        cells=tuple(int(count) for count in cells),
        between=between,
        unused=tuple(sorted({label for label, _ in rows} - known)),
    )


def estimate_between(classes: Sequence[Sequence[Cells]]) -> float:
    """Share of the variance between collections, over all classes that more than one collection holds.

    The ratio of moments of Weir & Cockerham (Evolution 38, 1984) for shares of several outcomes in samples of
    unequal size; outcomes are answers here and populations are laboratories.

    Args:
        classes: per class the counts by answer of each collection, each of shape (J,).

    Returns:
        0 when the collections differ by no more than chance, or when no class is in two of them; below 1.
    """
    among = within = 0.0
    for found in classes:
        sizes = np.array([counts.sum() for counts in found])
        counts = np.array(found)[sizes > 1]
        sizes = sizes[sizes > 1]
        if len(sizes) < 2:
            continue
        total = sizes.sum()
        shares = counts / sizes[:, None]
        mean = counts.sum(axis=0) / total
        ms_among = float((sizes[:, None] * (shares - mean) ** 2).sum() / (len(sizes) - 1))
        ms_within = float((sizes[:, None] * shares * (1 - shares)).sum() / (total - len(sizes)))
        size = (total - (sizes**2).sum() / total) / (len(sizes) - 1)
        among += (ms_among - ms_within) / size
        within += ms_within
    if among <= 0:
        return 0.0
    return among / (among + within)


def scale_down(counts: Cells, between: float) -> Cells:
    """Counts of one collection as the independent cells they are worth."""
    cells = counts.sum()
    return counts / (1 + (cells - 1) * between) if cells else counts


def _rows(matrix: ConfusionMatrix, named: Sequence[str]) -> list[tuple[str, Cells]]:
    """Label and counts of each row, with the columns in the order of `named`."""
    place = {key: number for number, key in enumerate(named)}
    if strange := set(matrix.named) - set(named):
        raise BundleError(
            f"the validation of {matrix.collection} counts answers {sorted(strange)}, which are no classes of the "
            "bundle: install the bundle again"
        )
    columns = [place[key] for key in matrix.named]
    rows = []
    for label, counts in zip(matrix.truth, matrix.counts, strict=True):
        row = np.zeros(len(named))
        np.add.at(row, columns, counts)
        rows.append((label, row))
    return rows


def _label(row: tuple[str, Cells]) -> str:
    return row[0]


def _group_numbers(classes: Sequence[str], groups: Mapping[str, Sequence[str]]) -> NDArray[np.intp]:
    name_of = {key: name for name, members in groups.items() for key in members}
    names = [name_of.get(key, f"={key}") for key in classes]
    return np.array([names.index(name) for name in names], dtype=np.intp)
