"""Judges a classifier on the laboratory its training left out, in the five classes of normal blood.

train_classifier.py --without raabin --run RUNS/without-raabin --budget-min 20
judge_left_out.py --without raabin --run RUNS/without-raabin
judge_left_out.py --without raabin --run RUNS/without-raabin --adapt 640    after a look at so many cells without names
judge_left_out.py --without raabin --run RUNS/without-raabin --named 100    after the last layer learnt so many names
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from adapt import adapt, allowed_by, features_of, head_of
from cells import Cell, centred, labelled_cells
from classifier_net import ClassifierNet
from fitting import CHECKPOINT_FILE
from judge_classifier import softmax
from refit import refit
from tables import crops
from train_classifier import logits_of
from vocabulary import Vocabulary

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from evaluation.naming import RAABIN_5, NamingScore, group_of, score

SPLITS = ("val", "train")
FEWEST = 200
"""A laboratory with fewer cells to judge on is judged on those of its training split, too: none was learnt from."""
DRAWS = 10
"""How often other cells are drawn to be named: which they are matters as much as how many."""


def main() -> None:
    """Reads the command line and prints one line of figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--without", required=True, help="the laboratory that was left out")
    parser.add_argument("--facts", type=Path, default=Path(__file__).with_name("classifier.toml"))
    after = parser.add_mutually_exclusive_group()
    after.add_argument("--adapt", type=int, default=0, help="adapt to so many of its cells, unnamed, first")
    after.add_argument("--named", type=int, default=0, help=f"learn so many of its names first, drawn {DRAWS} times")
    options = parser.parse_args()
    torch.set_num_threads(1)
    vocabulary = Vocabulary.read(options.facts)
    checkpoint = torch.load(options.run / CHECKPOINT_FILE, map_location="cpu", weights_only=True)
    net = ClassifierNet(len(vocabulary.classes)).eval()
    net.load_state_dict(checkpoint["weights"])
    judged_on, others = (
        labelled_cells([crop for crop in crops(split) if crop.collection == options.without], vocabulary)
        for split in SPLITS
    )
    if options.adapt:
        order = np.random.default_rng(0).permutation(len(others))[: options.adapt]
        adapt(net, [centred(others[index].picture) for index in order])
    judged_on, others = of_the_five(judged_on), of_the_five(others)
    if len(judged_on) < FEWEST:
        judged_on = others = judged_on + others
    if options.named:
        _tell_after_names(net, judged_on, others, vocabulary, options)
        return
    logits = logits_of(net, judged_on)
    for free in (True, False):
        result = judged(logits, judged_on, vocabulary, free=free)
        what = "one of all classes" if free else "one of the five"
        f1 = ", ".join(f"{name} {value:.3f}" for name, value in result.f1.items())
        print(
            f"{options.without} left out, {what}: accuracy {result.accuracy:.3f} of {result.cells} cells "
            f"(most frequent class {result.majority_accuracy:.3f}), F1 {f1}"
        )


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
    return [cell for cell in cells if group_of(cell.label, RAABIN_5)]


def _tell_after_names(
    net: ClassifierNet,
    cells: Sequence[Cell],
    others: Sequence[Cell],
    vocabulary: Vocabulary,
    options: argparse.Namespace,
) -> None:
    """Prints a line of figures for each way to answer; no cell judges that was drawn to be named."""
    head = head_of(net)
    features = features_of(net, [centred(cell.picture) for cell in cells], ways=1)[:, 0]
    found: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(DRAWS):
        drawn = np.random.default_rng(seed).permutation(len(others))[: options.named]
        named = [others[index] for index in drawn]
        fitted = refit(
            head,
            features_of(net, [centred(cell.picture) for cell in named]),
            allowed_by([cell.label for cell in named], vocabulary),
        )
        left = np.setdiff1d(np.arange(len(cells)), drawn if others is cells else [])
        logits, judged_on = fitted.logits(features[left]), [cells[index] for index in left]
        for free, accuracies in found.items():
            accuracies.append(judged(logits, judged_on, vocabulary, free=free).accuracy)
    for free, accuracies in found.items():
        print(
            f"{options.without} left out, {options.named} cells named, "
            f"{'one of all classes' if free else 'one of the five'}: accuracy {np.mean(accuracies):.3f}, "
            f"{min(accuracies):.3f} to {max(accuracies):.3f} in {DRAWS} draws"
        )


def _named(vocabulary: Vocabulary, share: NDArray[np.float64]) -> str:
    best = vocabulary.classes[int(share.argmax())]
    return group_of(best, RAABIN_5) or best


if __name__ == "__main__":
    main()
