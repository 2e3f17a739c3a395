"""Fits the shipped classifier to a laboratory's stain, lamp and camera, from white cells that nobody has named.

    adapt.py --cells cells.npz --start-from classifier.f16.npz --facts classifier.toml --out EXPORTED

Of each feature only mean and spread are taken from the new cells (AdaBN, Li et al. 2016, arXiv:1603.04779); what the
network has learnt to see stays. What that brought laboratories that were left out is in the classifier's card.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from batches import as_batch
from classifier_net import ClassifierNet
from export import COMPARED_FILE, SIGNATURE_FILE, Kind, write_networks
from quantise import write_signature
from scenes import Picture
from starting_weights import start_from
from vocabulary import Vocabulary

SHARE = 0.75
"""How far the statistics move to the new cells'. All the way, leukaemic patients lose, whose mix of cells is far from
what it learnt from; three quarters of the way four of the five laboratories that were left out gain."""
BATCH = 64
CALIBRATE = 600
"""Cells that the int8 networks are calibrated on, at most."""


def adapt(net: ClassifierNet, windows: Sequence[Picture], share: float = SHARE) -> None:
    """Move the statistics of batch normalisation towards these cells'.

    Args:
        net: is changed; left ready to name.
        windows: RGB (128, 128, 3), at least one batch of them.
        share: 0 leaves them as they are, 1 takes the new cells' alone.

    Raises:
        ValueError: there are fewer cells than a batch.
    """
    if len(windows) < BATCH:
        raise ValueError(f"expected at least {BATCH} cells, found {len(windows)}")
    layers = [layer for layer in net.modules() if isinstance(layer, nn.BatchNorm2d)]
    before = [(layer.running_mean.clone(), layer.running_var.clone()) for layer in layers]
    net.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain mean over the batches
        layer.train()
    with torch.no_grad():
        for start in range(0, len(windows) - BATCH + 1, BATCH):
            net(as_batch(windows[start : start + BATCH]))
        for layer, (mean, spread) in zip(layers, before, strict=True):
            layer.running_mean.lerp_(mean, 1 - share)
            layer.running_var.lerp_(spread, 1 - share)
    net.eval()


def main() -> None:
    """Reads the command line, writes the int8 networks, says how many cells are now called otherwise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=Path, required=True, help="what unnamed_cells.py wrote")
    parser.add_argument("--start-from", type=Path, required=True)
    parser.add_argument("--facts", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    vocabulary = Vocabulary.read(options.facts)
    net = ClassifierNet(len(vocabulary.classes))
    if start_from(net, options.start_from, vocabulary.classes) != len(vocabulary.classes):
        raise SystemExit(f"{options.start_from} names other classes than {options.facts}")
    with np.load(options.cells) as kept:
        windows = list(kept["windows"][np.random.default_rng(0).permutation(len(kept["windows"]))])
    before = _named(net.eval(), windows)
    adapt(net, windows)
    after = _named(net, windows)
    options.out.mkdir(parents=True, exist_ok=True)
    engines, litert = write_networks(Kind(net, ("logits",), windows[:CALIBRATE], any_size=False), options.out)
    signature = {"kind": "classifier", "litert": litert, "onnx": {"input": "image", "layout": "NCHW"}}
    write_signature(options.out / SIGNATURE_FILE, signature | {"classes": list(vocabulary.classes)})
    agreeing = {
        name: {"as_float": float(np.mean([int(engine(one)["logits"].argmax()) for one in windows] == after))}
        for name, engine in engines.items()
    }
    (options.out / COMPARED_FILE).write_text(json.dumps(agreeing, indent=1), "utf-8")
    print(f"{len(windows)} cells; {np.mean(before != after):.1%} are called otherwise than before")
    for name, figures in agreeing.items():
        print(name, figures)


def _named(net: ClassifierNet, windows: Sequence[Picture]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    with torch.inference_mode():
        parts = [net(as_batch(windows[start : start + BATCH])) for start in range(0, len(windows), BATCH)]
    named: np.ndarray[tuple[int], np.dtype[np.int64]] = torch.cat(parts).argmax(dim=1).numpy()
    return named


if __name__ == "__main__":
    main()
