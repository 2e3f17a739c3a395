"""What a classifier's last layer is given on cells that it learnt from, so that fitting it does not unlearn them.

One matrix of second moments: no picture, and no cell, can be had from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from batches import in_batches
from cells import Cell, centred, labelled_cells
from device_code import second_moment
from tables import Crop
from vocabulary import Vocabulary

EACH = 50
"""Cells of each label of each laboratory, at most."""
ARTEFACTS, SEED = 120, 3
"""Windows without a cell that are worth adding, and the seed of all that is drawn."""


def remembered(
    see: Callable[[Tensor], Tensor], learnt: Iterable[Crop], artefacts: Sequence[Cell], vocabulary: Vocabulary
) -> NDArray[np.float64]:
    """`second_moment` of some cells of each label, and of windows without a cell.

    Args:
        see: computes what the last layer is given.
        learnt: the cells it learnt from.
        artefacts: windows without one.
        vocabulary: of the classifier.
    """
    cells = [*labelled_cells(some_of_each(learnt, EACH), vocabulary), *artefacts]
    features = in_batches(see, [centred(cell.picture) for cell in cells])
    return second_moment(features, [cell.classes[0] for cell in cells])


def some_of_each(among: Iterable[Crop], most: int) -> list[Crop]:
    """At most so many of each label of each laboratory, the same ones every time."""
    by_label: dict[tuple[str, str], list[Crop]] = defaultdict(list)
    for crop in among:
        by_label[crop.collection, crop.label].append(crop)
    rng = np.random.default_rng(SEED)
    return [found[index] for found in by_label.values() for index in rng.permutation(len(found))[:most]]
