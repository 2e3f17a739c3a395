"""Does it help to make a strange laboratory's colours those of the training pictures? Judged on one left out.

train_classifier.py --without raabin --run RUNS/without-raabin --budget-min 20
judge_normalisation.py --without raabin --run RUNS/without-raabin
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from cells import labelled_cells
from judge_left_out import judged, of_the_five, trained
from normalisation import Look, Picture, look_of, with_stains, with_white_point
from tables import crops
from train_classifier import logits_of
from vocabulary import Vocabulary

REFERENCE_CELLS = 400
WAYS: dict[str, Callable[[Picture, Look], Picture]] = {
    "as they are": lambda picture, _: picture,
    "white point": with_white_point,
    "white point and stains": with_stains,
}


def main() -> None:
    """Reads the command line and prints a line per way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--without", required=True, help="the laboratory that was left out")
    parser.add_argument("--facts", type=Path, default=Path(__file__).with_name("classifier.toml"))
    parser.add_argument("--most", type=int, default=1500, help="cells to judge, drawn from its validation split")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(1)
    vocabulary = Vocabulary.read(options.facts)
    net = trained(options.run, vocabulary)
    learnt = [crop for crop in crops("train") if crop.collection != options.without]
    reference = labelled_cells([learnt[i] for i in rng.permutation(len(learnt))[:REFERENCE_CELLS]], vocabulary)
    look = look_of([cell.picture for cell in reference])
    strange = [crop for crop in crops("val") if crop.collection == options.without]
    drawn = labelled_cells([strange[i] for i in rng.permutation(len(strange))[: options.most]], vocabulary)
    cells = of_the_five(drawn)
    for way, change in WAYS.items():
        changed = [replace(cell, picture=change(cell.picture, look)) for cell in cells]
        result = judged(logits_of(net, changed), changed, vocabulary)
        print(
            f"{options.without} left out, {way}: {result.accuracy:.3f} of {result.cells} cells named right", flush=True
        )


if __name__ == "__main__":
    main()
