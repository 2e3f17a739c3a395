"""Judges a classifier on the laboratory its training left out, in the five classes of normal blood.

train_classifier.py --without raabin --run RUNS/without-raabin --budget-min 20
judge_left_out.py --without raabin --run RUNS/without-raabin
judge_left_out.py --without raabin --run RUNS/without-raabin --adapt 640    after a look at so many cells without names
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from adapt import adapt
from cells import Cell, centred, labelled_cells
from classifier_net import ClassifierNet
from fitting import CHECKPOINT_FILE
from judge_classifier import softmax
from tables import crops
from train_classifier import logits_of
from vocabulary import Vocabulary

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from evaluation.naming import RAABIN_5, NamingScore, group_of, score

SPLITS = ("val", "train")
FEWEST = 200
"""A laboratory with fewer cells to judge on is judged on those of its training split, too: none was learnt from."""


def main() -> None:
    """Reads the command line and prints one line of figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--without", required=True, help="the laboratory that was left out")
    parser.add_argument("--facts", type=Path, default=Path(__file__).with_name("classifier.toml"))
    parser.add_argument("--adapt", type=int, default=0, help="adapt to so many of its cells, unnamed, first")
    options = parser.parse_args()
    torch.set_num_threads(1)
    vocabulary = Vocabulary.read(options.facts)
    checkpoint = torch.load(options.run / CHECKPOINT_FILE, map_location="cpu", weights_only=True)
    net = ClassifierNet(len(vocabulary.classes)).eval()
    net.load_state_dict(checkpoint["weights"])
    judged_on, others = ([crop for crop in crops(split) if crop.collection == options.without] for split in SPLITS)
    if len(judged_on) < FEWEST:
        judged_on += others
    cells = labelled_cells(judged_on, vocabulary)
    if options.adapt:
        unnamed = labelled_cells(others, vocabulary)
        order = np.random.default_rng(0).permutation(len(unnamed))[: options.adapt]
        adapt(net, [centred(unnamed[index].picture) for index in order])
    for free in (True, False):
        result = judged(net, cells, vocabulary, free=free)
        what = "one of all classes" if free else "one of the five"
        f1 = ", ".join(f"{name} {value:.3f}" for name, value in result.f1.items())
        print(
            f"{options.without} left out, {what}: accuracy {result.accuracy:.3f} of {result.cells} cells "
            f"(most frequent class {result.majority_accuracy:.3f}), F1 {f1}"
        )


def judged(net: ClassifierNet, cells: Sequence[Cell], vocabulary: Vocabulary, *, free: bool = False) -> NamingScore:
    """How well a network names the cells whose label is one of five.

    Args:
        net: what names them.
        cells: of any label.
        vocabulary: of the network.
        free: it may answer with any class; else, as a laboratory that asks for five, it gets one of five.
    """
    kept = [cell for cell in cells if group_of(cell.label, RAABIN_5)]
    share = softmax(logits_of(net, kept))
    members = {
        group: [vocabulary.classes.index(one) for one in names if one in vocabulary.classes]
        for group, names in RAABIN_5.items()
    }
    among = np.stack([share[:, columns].sum(axis=1) for columns in members.values()], axis=1)
    five = [list(members)[index] for index in among.argmax(axis=1)]
    answers = [_named(vocabulary, row) for row in share] if free else five
    return score([group_of(cell.label, RAABIN_5) or "" for cell in kept], answers, RAABIN_5)


def _named(vocabulary: Vocabulary, share: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    best = vocabulary.classes[int(share.argmax())]
    return group_of(best, RAABIN_5) or best


if __name__ == "__main__":
    main()
