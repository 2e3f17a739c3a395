"""Judges a classifier on the laboratory its training left out, in the five classes of normal blood.

train_classifier.py --without raabin --run RUNS/without-raabin --budget-min 20
judge_left_out.py --without raabin --run RUNS/without-raabin
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cells import Cell, labelled_cells
from classifier_net import ClassifierNet
from fitting import CHECKPOINT_FILE
from judge_classifier import softmax
from tables import crops
from train_classifier import logits_of
from vocabulary import Vocabulary

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from evaluation.naming import RAABIN_5, NamingScore, group_of, score

FEWEST = 200
"""A laboratory with fewer cells to judge on is judged on those of its training split, too: none was learnt from."""


def main() -> None:
    """Reads the command line and prints one line of figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--without", required=True, help="the laboratory that was left out")
    parser.add_argument("--facts", type=Path, default=Path(__file__).with_name("classifier.toml"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    vocabulary = Vocabulary.read(options.facts)
    net = trained(options.run, vocabulary)
    judged_on, _ = judging_and_other(options.without, vocabulary)
    logits = logits_of(net, judged_on)
    for free in (True, False):
        result = judged(logits, judged_on, vocabulary, free=free)
        what = "one of all classes" if free else "one of the five"
        f1 = ", ".join(f"{name} {value:.3f}" for name, value in result.f1.items())
        print(
            f"{options.without} left out, {what}: accuracy {result.accuracy:.3f} of {result.cells} cells "
            f"(most frequent class {result.majority_accuracy:.3f}), F1 {f1}"
        )
    if beside := [cell for cell in _cells_of(options.without, "val", vocabulary) if not _is_one_of_five(cell)]:
        named = logits_of(net, beside).argmax(axis=1)
        right = np.mean([index in cell.classes for index, cell in zip(named, beside, strict=True)])
        print(f"{options.without} left out, outside the five: {right:.3f} of {len(beside)} cells named right")


def trained(run: Path, vocabulary: Vocabulary) -> ClassifierNet:
    """The network of a training's folder, ready to name."""
    checkpoint = torch.load(run / CHECKPOINT_FILE, map_location="cpu", weights_only=True)
    net = ClassifierNet(len(vocabulary.classes))
    net.load_state_dict(checkpoint["weights"])
    net.eval()
    return net


def judging_and_other(collection: str, vocabulary: Vocabulary) -> tuple[list[Cell], list[Cell]]:
    """Cells of a laboratory in the five classes: to judge on, and others, which of a small one are the same."""
    judged_on, others = (of_the_five(_cells_of(collection, split, vocabulary)) for split in ("val", "train"))
    if len(judged_on) < FEWEST:
        judged_on = others = judged_on + others
    return judged_on, others


def judged(
    logits: NDArray[np.floating], cells: Sequence[Cell], vocabulary: Vocabulary, *, free: bool = False
) -> NamingScore:
    """How well cells are named whose label is one of five.

    Args:
        logits: what a network said of the cells, (cells, classes).
        cells: of one of the five each.
        vocabulary: of the network.
        free: any class may be the answer; else, as in a laboratory that asks for five, it is one of five.
    """
    share = softmax(logits)
    members = {
        group: [vocabulary.classes.index(one) for one in names if one in vocabulary.classes]
        for group, names in RAABIN_5.items()
    }
    among = np.stack([share[:, columns].sum(axis=1) for columns in members.values()], axis=1)
    five = [list(members)[index] for index in among.argmax(axis=1)]
    answers = [_named(vocabulary, row) for row in share] if free else five
    return score([group_of(cell.label, RAABIN_5) or "" for cell in cells], answers, RAABIN_5)


def of_the_five(cells: Sequence[Cell]) -> list[Cell]:
    """Those whose label is one of the five classes of normal blood, however fine."""
    return [cell for cell in cells if _is_one_of_five(cell)]


def _is_one_of_five(cell: Cell) -> bool:
    return group_of(cell.label, RAABIN_5) is not None


def _cells_of(collection: str, split: str, vocabulary: Vocabulary) -> list[Cell]:
    return labelled_cells([crop for crop in crops(split) if crop.collection == collection], vocabulary)


def _named(vocabulary: Vocabulary, share: NDArray[np.float64]) -> str:
    best = vocabulary.classes[int(share.argmax())]
    return group_of(best, RAABIN_5) or best


if __name__ == "__main__":
    main()
