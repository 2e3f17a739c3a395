"""Judges what `leukoscope adapt` teaches a classifier about the laboratory its training left out, and what it unlearns.

train_classifier.py --without raabin --run RUNS/without-raabin --budget-min 20
judge_names.py --without raabin --run RUNS/without-raabin --names 100
judge_names.py --without raabin --run RUNS/without-raabin --names 25 --unnamed 275    and by what it is then sure of
judge_names.py --without raabin --run RUNS/without-raabin --unnamed 300    no cell is named
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from batches import in_batches
from cells import Cell, artefact_cells, centred, labelled_cells
from device_code import Head, refit_by_itself, views
from judge_left_out import judged, judging_and_other, trained
from remember import ARTEFACTS, SEED, remembered, some_of_each
from tables import crops
from vocabulary import Vocabulary

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from evaluation.naming import RAABIN_5, group_of

DRAWS = 10
"""How often other cells are drawn to be named: which they are matters as much as how many."""
BESIDE = 60
"""Cells of each label of each laboratory by which is judged what a network unlearns."""


def main() -> None:
    """Reads the command line and prints some lines of figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--without", required=True, help="the laboratory that was left out")
    parser.add_argument("--facts", type=Path, default=Path(__file__).with_name("classifier.toml"))
    parser.add_argument("--names", type=int, default=0, help=f"how many of its cells are named, drawn {DRAWS} times")
    parser.add_argument("--unnamed", type=int, default=0, help="how many of its cells it looks at without names")
    options = parser.parse_args()
    if not options.names + options.unnamed:
        parser.error("expected --names, --unnamed or both")
    torch.set_num_threads(1)
    vocabulary = Vocabulary.read(options.facts)
    net = trained(options.run, vocabulary)
    head = Head(net.name.weight.detach().numpy(), net.name.bias.detach().numpy())
    learnt_from = (crop for crop in crops("train") if crop.collection != options.without)
    artefacts = artefact_cells(ARTEFACTS, SEED, vocabulary)
    known = remembered(net.pooled, learnt_from, artefacts, vocabulary)
    cells, others = judging_and_other(options.without, vocabulary)
    never_named = (crop for crop in crops("val") if not group_of(crop.label, RAABIN_5))
    elsewhere = (crop for crop in crops("val") if crop.collection != options.without and group_of(crop.label, RAABIN_5))
    beside = labelled_cells(some_of_each(never_named, BESIDE) + some_of_each(elsewhere, BESIDE), vocabulary)
    features, beside_features = (
        in_batches(net.pooled, [centred(cell.picture) for cell in those]) for those in (cells, beside)
    )
    of_all, of_five = [], []
    kept = [_right(head, beside_features, beside)]
    count, groups = options.names + options.unnamed, _groups(vocabulary)
    draws = DRAWS if options.names or count < len(others) else 1
    for seed in range(draws):
        drawn = np.random.default_rng(seed).permutation(len(others))[:count]
        shown = [others[index] for index in drawn]
        seen = in_batches(net.pooled, [view for cell in shown for view in views(centred(cell.picture))])
        seen = seen.reshape(len(shown), -1, features.shape[1])
        named = seen[: options.names], _allowed_by(shown[: options.names], vocabulary)
        fitted = refit_by_itself(head, known, seen[options.names :], groups, named if options.names else None)
        # Cells that were looked at may be judged: their names were not used.
        left = np.setdiff1d(np.arange(len(cells)), drawn[: options.names] if others is cells else [])
        logits, judged_on = fitted.logits(features[left]), [cells[index] for index in left]
        of_all.append(judged(logits, judged_on, vocabulary, free=True).accuracy)
        of_five.append(judged(logits, judged_on, vocabulary).accuracy)
        kept.append(_right(fitted, beside_features, beside))
    for what, figures in (("one of all classes", of_all), ("one of the five", of_five)):
        print(
            f"{options.without} left out, {options.names} cells named, {options.unnamed} unnamed, {what}: "
            f"accuracy {np.mean(figures):.3f}, {min(figures):.3f} to {max(figures):.3f} in {draws} draws"
        )
    strange = np.array([cell.collection == options.without for cell in beside])
    of_five_too = np.array([group_of(cell.label, RAABIN_5) is not None for cell in beside])
    for which, what in (
        (~strange & of_five_too, "the five, other laboratories"),
        (~strange & ~of_five_too, "classes outside the five, other laboratories"),
        (strange, "classes outside the five, its own"),
    ):
        if which.any():
            before, *after = (float(right[which].mean()) for right in kept)
            print(f"  {which.sum()} cells of {what}: right {before:.3f} before, {np.mean(after):.3f} after")


def _allowed_by(cells: Sequence[Cell], vocabulary: Vocabulary) -> NDArray[np.bool_]:
    """Which classes each cell's label may mean, (cells, classes)."""
    allowed = np.zeros((len(cells), len(vocabulary.classes)), dtype=bool)
    for row, cell in enumerate(cells):
        allowed[row, list(cell.classes)] = True
    return allowed


def _groups(vocabulary: Vocabulary) -> list[tuple[int, ...]]:
    names = [vocabulary.group_of(one) for one in vocabulary.classes]
    return [tuple(place for place, one in enumerate(names) if one == name) for name in dict.fromkeys(names)]


def _right(head: Head, features: NDArray[np.floating], cells: Sequence[Cell]) -> NDArray[np.bool_]:
    best = head.logits(features).argmax(axis=1)
    return np.array([index in cell.classes for index, cell in zip(best, cells, strict=True)])


if __name__ == "__main__":
    main()
