"""Judges what names teach a classifier about the laboratory its training left out, and what it unlearns meanwhile.

train_classifier.py --without raabin --run RUNS/without-raabin --budget-min 20
judge_names.py --without raabin --run RUNS/without-raabin --names 100
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from adapt import allowed_by, features_of, head_of
from cells import Cell, centred, labelled_cells
from judge_left_out import judged, judging_and_other, trained
from refit import Head, refit
from remember import remembered, some_of_each
from tables import crops
from vocabulary import Vocabulary

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from evaluation.naming import RAABIN_5, group_of

DRAWS = 10
"""How often other cells are drawn to be named: which they are matters as much as how many."""
UNNAMED = 60
"""Cells of each label outside the five, of each laboratory, by which is judged what a network unlearns."""


def main() -> None:
    """Reads the command line and prints some lines of figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--without", required=True, help="the laboratory that was left out")
    parser.add_argument("--facts", type=Path, default=Path(__file__).with_name("classifier.toml"))
    parser.add_argument("--names", type=int, default=100, help=f"how many of its cells are named, drawn {DRAWS} times")
    options = parser.parse_args()
    torch.set_num_threads(1)
    vocabulary = Vocabulary.read(options.facts)
    net = trained(options.run, vocabulary)
    head = head_of(net)
    known = remembered(net, (crop for crop in crops("train") if crop.collection != options.without), vocabulary)
    cells, others = judging_and_other(options.without, vocabulary)
    never_named = (crop for crop in crops("val") if not group_of(crop.label, RAABIN_5))
    unnamed = labelled_cells(some_of_each(never_named, UNNAMED), vocabulary)
    features, unnamed_features = (
        features_of(net, [centred(cell.picture) for cell in those], ways=1)[:, 0] for those in (cells, unnamed)
    )
    of_all, of_five = [], []
    kept = [_right(head, unnamed_features, unnamed)]
    for seed in range(DRAWS):
        drawn = np.random.default_rng(seed).permutation(len(others))[: options.names]
        named = [others[index] for index in drawn]
        learnt = features_of(net, [centred(cell.picture) for cell in named])
        fitted = refit(head, known, learnt, allowed_by([cell.label for cell in named], vocabulary))
        left = np.setdiff1d(np.arange(len(cells)), drawn if others is cells else [])
        logits, judged_on = fitted.logits(features[left]), [cells[index] for index in left]
        of_all.append(judged(logits, judged_on, vocabulary, free=True).accuracy)
        of_five.append(judged(logits, judged_on, vocabulary).accuracy)
        kept.append(_right(fitted, unnamed_features, unnamed))
    for what, figures in (("one of all classes", of_all), ("one of the five", of_five)):
        print(
            f"{options.without} left out, {options.names} cells named, {what}: accuracy {np.mean(figures):.3f}, "
            f"{min(figures):.3f} to {max(figures):.3f} in {DRAWS} draws"
        )
    strange = np.array([cell.collection == options.without for cell in unnamed])
    for whose, which in (("other laboratories", ~strange), ("its own", strange)):
        if which.any():
            before, *after = (float(right[which].mean()) for right in kept)
            print(
                f"  {which.sum()} cells of classes that nobody named, {whose}: "
                f"right {before:.3f} before, {np.mean(after):.3f} after"
            )


def _right(head: Head, features: NDArray[np.floating], cells: Sequence[Cell]) -> NDArray[np.bool_]:
    best = head.logits(features).argmax(axis=1)
    return np.array([index in cell.classes for index, cell in zip(best, cells, strict=True)])


if __name__ == "__main__":
    main()
