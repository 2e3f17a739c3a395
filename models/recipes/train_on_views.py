"""Trains the last stages of the classifier on views that `cache_views` kept; the first ones stay as they are.

train_on_views.py --views .train/views --run .train/classifier/run --budget-min 30 [--without taleqani]
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import judge_classifier
from cache_views import VAL
from cells import Cell
from classifier_net import FIRST_STAGES, ClassifierNet
from fitting import Task, arguments, fit, plan_of, steps_taken
from starting_weights import start_from
from train_classifier import loss_of
from vocabulary import ARTEFACT, Vocabulary

NO_PICTURE = np.zeros((0, 0, 3), np.uint8)


class Views:
    """Shards of views on disk, mapped into memory, without those of the collections left out."""

    def __init__(self, folder: Path, without: Collection[str], vocabulary: Vocabulary, seed: Sequence[int]) -> None:
        self._rng = np.random.default_rng(seed)
        names = sorted(path.name.removesuffix(".npy") for path in folder.glob("views-???.npy"))
        if not names:
            raise FileNotFoundError(f"expected views-000.npy in {folder}, found none: cache_views makes them")
        self._seen = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in names]
        self._allowed, rows = [], []
        for shard, name in enumerate(names):
            with np.load(folder / f"{name}.facts.npz") as facts:
                self._allowed.append(allowed_classes(facts["labels"].tolist(), facts["out_of_focus"], vocabulary))
                kept = np.flatnonzero(~np.isin(facts["collections"], list(without)))
            rows.append(np.column_stack([np.full(len(kept), shard), kept]))
        self._rows = np.concatenate(rows)
        self._at = len(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Maps (count, 24, 32, 32) and allowed classes (count, classes); every view once before any comes again."""
        if self._at + count > len(self._rows):
            self._rng.shuffle(self._rows)
            self._at = 0
        chosen = self._rows[self._at : self._at + count]
        self._at += count
        seen = np.stack([self._seen[shard][row] for shard, row in chosen]).astype(np.float32)
        allowed = np.stack([self._allowed[shard][row] for shard, row in chosen])
        return torch.from_numpy(seen).contiguous(memory_format=torch.channels_last), torch.from_numpy(allowed)


def allowed_classes(
    labels: Sequence[str], out_of_focus: NDArray[np.bool_], vocabulary: Vocabulary
) -> NDArray[np.float32]:
    """1 for each class (views, classes) that a label may mean; what is far out of focus is an artefact."""
    allowed = np.zeros((len(labels), len(vocabulary.classes)), np.float32)
    for row, (label, blurred) in enumerate(zip(labels, out_of_focus.tolist(), strict=True)):
        allowed[row, list(vocabulary.indices(ARTEFACT if blurred else label))] = 1.0
    return allowed


def logits_of_seen(net: ClassifierNet, seen: NDArray[np.float16]) -> NDArray[np.float32]:
    """Logits (views, classes) from what the first stages gave, (views, 24, 32, 32)."""
    with torch.inference_mode():
        parts = [
            net.name_seen(torch.from_numpy(seen[start : start + 256].astype(np.float32))).numpy()
            for start in range(0, len(seen), 256)
        ]
    return np.concatenate(parts)


def read_val(folder: Path, vocabulary: Vocabulary) -> tuple[list[Cell], NDArray[np.float16]]:
    """The judged cells, without pictures, and what the first stages made of them."""
    with np.load(folder / f"{VAL}.facts.npz") as facts:
        named = zip(facts["collections"].tolist(), facts["labels"].tolist(), facts["groups"].tolist(), strict=True)
        cells = [
            Cell(NO_PICTURE, collection, label, group, vocabulary.indices(label)) for collection, label, group in named
        ]
    return cells, np.load(folder / f"{VAL}.npy", mmap_mode="r")


def main() -> None:
    """Reads the command line."""
    parser = arguments(__doc__, batch=64, peak=1e-3)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--views", type=Path, required=True)
    parser.add_argument("--facts", type=Path, default=Path(__file__).with_name("classifier.toml"))
    parser.add_argument("--start-from", type=Path, help="a checkpoint, or weights kept in half precision (.npz)")
    parser.add_argument("--without", nargs="*", default=[], help="leave out these laboratories, to be judged on them")
    options = parser.parse_args()
    plan = plan_of(options, decay=0.05, average=0.998, clip=5.0)
    vocabulary = Vocabulary.read(options.facts)
    net = ClassifierNet(len(vocabulary.classes))
    start_from(net, options.start_from, vocabulary.classes)
    net.features[:FIRST_STAGES].requires_grad_(False)
    views = Views(options.views, options.without, vocabulary, (plan.seed, steps_taken(plan.run)))
    judged, seen = read_val(options.views, vocabulary)
    print(f"{len(views)} views, {len(judged)} cells to judge on", flush=True)

    def loss(net: ClassifierNet) -> dict[str, Tensor]:
        maps, allowed = views.draw(plan.batch)
        return {"loss": loss_of(net.name_seen(maps), allowed, vocabulary.label_smoothing)}

    def judge(net: ClassifierNet, _: bool) -> dict[str, Any]:
        scores = judge_classifier.figures(judged, logits_of_seen(net, seen), vocabulary)
        return {"kind": "classifier", "classes": vocabulary.classes, "scores": scores}

    fit(Task(net, loss, judge), plan)


if __name__ == "__main__":
    main()
