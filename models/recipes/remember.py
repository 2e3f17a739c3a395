"""Keeps what a classifier's last layer is given on cells that it learnt from, so that fitting it does not unlearn them.

    remember.py --start-from classifier.f16.npz --facts classifier.toml --out classifier.known.npy

One matrix of second moments: no picture, and no cell, can be had from it.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from adapt import features_of
from cells import artefact_cells, centred, labelled_cells
from classifier_net import ClassifierNet
from refit import second_moment
from starting_weights import whole_classifier
from tables import Crop, crops
from vocabulary import Vocabulary

EACH = 50
"""Cells of each label of each laboratory, at most."""
ARTEFACTS, SEED = 120, 3


def main() -> None:
    """Reads the command line, writes the matrix."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start-from", type=Path, required=True, help="the weights")
    parser.add_argument("--facts", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    vocabulary = Vocabulary.read(options.facts)
    net = whole_classifier(options.start_from, vocabulary.classes)
    np.save(options.out, remembered(net, crops("train"), vocabulary).astype(np.float32))


def remembered(net: ClassifierNet, learnt: Iterable[Crop], vocabulary: Vocabulary) -> NDArray[np.float64]:
    """`second_moment` of some cells of each label, and of windows without a cell."""
    cells = labelled_cells(some_of_each(learnt, EACH), vocabulary) + artefact_cells(ARTEFACTS, SEED, vocabulary)
    features = features_of(net, [centred(cell.picture) for cell in cells], ways=1)[:, 0]
    return second_moment(features, [cell.classes[0] for cell in cells])


def some_of_each(among: Iterable[Crop], most: int) -> list[Crop]:
    """At most so many of each label of each laboratory, the same ones every time."""
    by_label: dict[tuple[str, str], list[Crop]] = defaultdict(list)
    for crop in among:
        by_label[crop.collection, crop.label].append(crop)
    rng = np.random.default_rng(SEED)
    return [found[index] for found in by_label.values() for index in rng.permutation(len(found))[:most]]


if __name__ == "__main__":
    main()
