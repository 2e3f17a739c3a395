"""Draws training views and keeps what the network's first stages make of them, for `train_on_views`.

The first six stages take seven eighths of the work and learn slowly; what they see of a view is computed once, whatever
is then left out or weighed otherwise. Stops after `--views`, and goes on where it stopped.

cache_views.py --out .train/views --outlines .train/outlines.npz --views 100000
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from batches import as_batch
from cells import Cell, artefact_cells, centred, labelled_cells
from classifier_net import FIRST_STAGES, ClassifierNet
from cut_outs import Outlines
from imagenet import start_from_imagenet
from slides import on_slides
from tables import crops
from train_classifier import ARTEFACTS, Inputs
from vocabulary import ARTEFACT, Vocabulary

SHARD = 4096
BATCH = 64
VAL = "val"


def main() -> None:
    """Reads the command line; writes val's views first, as they are, then shards of drawn ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--outlines", type=Path, required=True)
    parser.add_argument("--views", type=int, default=100_000)
    parser.add_argument("--facts", type=Path, default=Path(__file__).with_name("classifier.toml"))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    options.out.mkdir(parents=True, exist_ok=True)
    vocabulary = Vocabulary.read(options.facts)
    net = ClassifierNet(len(vocabulary.classes))
    start_from_imagenet(net)
    first = net.eval().features[:FIRST_STAGES].to(memory_format=torch.channels_last)
    outlines = Outlines.read(options.outlines)
    artefacts = artefact_cells(ARTEFACTS, options.seed, vocabulary)
    if not (options.out / f"{VAL}.npy").exists():
        judged = on_slides(labelled_cells(crops("val"), vocabulary), artefacts)
        keep(options.out, VAL, see(first, [centred(cell.picture) for cell in judged]), judged)
    learnt = labelled_cells(crops("train"), vocabulary, outlines) + artefacts
    for shard in range(-(-options.views // SHARD)):
        name = f"views-{shard:03d}"
        if (options.out / f"{name}.npy").exists():
            continue
        started = time.monotonic()
        inputs = Inputs(learnt, vocabulary, (options.seed, shard))
        pictures, allowed, drawn = inputs.draw_with_cells(SHARD)
        artefact = vocabulary.indices(ARTEFACT)
        shown = [tuple(np.flatnonzero(row)) for row in allowed]
        blurred = np.array([one == artefact != cell.classes for one, cell in zip(shown, drawn, strict=True)])
        keep(options.out, name, see(first, pictures), drawn, blurred)
        print(f"{name}: {SHARD / (time.monotonic() - started):.0f} views/s", flush=True)


def see(first: nn.Module, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float16]:
    """What the first stages give, (pictures, 24, 32, 32)."""
    parts = []
    with torch.inference_mode():
        for start in range(0, len(pictures), BATCH):
            parts.append(first(as_batch(pictures[start : start + BATCH])).contiguous().half().numpy())
    return np.concatenate(parts)


def keep(
    folder: Path,
    name: str,
    seen: NDArray[np.float16],
    cells: Sequence[Cell],
    out_of_focus: NDArray[np.bool_] | None = None,
) -> None:
    """Writes a shard: what was seen last, so that a shard with it is whole."""
    facts: dict[str, Any] = {
        "collections": np.array([cell.collection for cell in cells]),
        "labels": np.array([cell.label for cell in cells]),
        "groups": np.array([cell.group for cell in cells]),
    }
    if out_of_focus is not None:
        facts["out_of_focus"] = out_of_focus
    np.savez_compressed(folder / f"{name}.facts.npz", allow_pickle=False, **facts)
    part = folder / f"{name}.part.npy"
    np.save(part, seen)
    part.rename(folder / f"{name}.npy")


if __name__ == "__main__":
    main()
