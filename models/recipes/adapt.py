"""Fits the shipped classifier to a laboratory's stain, lamp and camera.

    adapt.py --cells cells.npz --start-from classifier.f16.npz --known classifier.known.npy --facts classifier.toml
        --as-in BUNDLE --out EXPORTED

Of white cells that nobody has named only mean and spread of each feature are taken (AdaBN, Li et al. 2016,
arXiv:1603.04779); to cells with names the last layer is fitted (`refit`). What the network has learnt to see stays.
What that brought laboratories that were left out is in the classifier's card.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from batches import as_batch
from classifier_net import ClassifierNet
from export import COMPARED_FILE, SIGNATURE_FILE, Kind, write_networks
from quantise import write_signature
from refit import ORIENTATIONS, Head, chance_of, cross_validated, refit, views
from scenes import Picture
from starting_weights import whole_classifier
from vocabulary import Vocabulary

SHARE = 0.75
"""How far the statistics move to the new cells'. All the way, leukaemic patients lose, whose mix of cells is far from
what it learnt from; three quarters of the way four of the five laboratories that were left out gain."""
BATCH = 64
BY_CHANCE = 0.05
"""How likely chance alone may be to bring what names bring; else no bundle is written."""
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


def head_of(net: ClassifierNet) -> Head:
    """The network's last layer."""
    weights, biases = (one.detach().numpy().astype(np.float64) for one in (net.name.weight, net.name.bias))
    return Head(weights, biases)


def features_of(net: ClassifierNet, windows: Sequence[Picture], ways: int = ORIENTATIONS) -> NDArray[np.float32]:
    """What the last layer is given, (cells, ways, features), for every cell in so many orientations, as it is first."""
    turned = [view for window in windows for view in views(window)[:ways]]
    with torch.inference_mode():
        parts = [net.pooled(as_batch(turned[start : start + BATCH])) for start in range(0, len(turned), BATCH)]
    return np.asarray(torch.cat(parts).numpy()).reshape(len(windows), -1, net.name.in_features)


def allowed_by(labels: Sequence[str], vocabulary: Vocabulary) -> NDArray[np.bool_]:
    """Which classes each label may mean, (cells, classes)."""
    allowed = np.zeros((len(labels), len(vocabulary.classes)), dtype=bool)
    for row, label in enumerate(labels):
        allowed[row, list(vocabulary.indices(label))] = True
    return allowed


def wear(net: ClassifierNet, head: Head) -> None:
    """Give a network this last layer."""
    with torch.no_grad():
        net.name.weight.copy_(torch.from_numpy(head.weights))
        net.name.bias.copy_(torch.from_numpy(head.biases))


def main() -> None:
    """Reads the command line, writes the int8 networks, says what has changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=Path, required=True, help="what unnamed_cells.py or named_cells.py wrote")
    parser.add_argument("--start-from", type=Path, required=True)
    parser.add_argument("--known", type=Path, required=True, help="what remember.py wrote")
    parser.add_argument("--facts", type=Path, required=True)
    parser.add_argument("--as-in", type=Path, required=True, help="the bundle whose temperature will be used")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    vocabulary = Vocabulary.read(options.facts)
    net = whole_classifier(options.start_from, vocabulary.classes)
    with np.load(options.cells) as kept:
        order = np.random.default_rng(0).permutation(len(kept["windows"]))
        windows = list(kept["windows"][order])
        labels, groups = ([str(one) for one in kept[of][order]] if of in kept else [] for of in ("labels", "groups"))
    before = _named(net, windows)
    if labels:
        manifest = tomllib.loads((options.as_in / "manifest.toml").read_text("utf-8"))
        allowed, temperature = allowed_by(labels, vocabulary), manifest["classifier"]["temperature"]
        _learn_names(net, np.load(options.known), windows, allowed, groups, temperature)
    else:
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


def _learn_names(
    net: ClassifierNet,
    known: NDArray[np.floating],
    windows: Sequence[Picture],
    allowed: NDArray[np.bool_],
    groups: Sequence[str],
    temperature: float,
) -> None:
    """Fit the last layer, if cells of specimens that it was not fitted to are named better for it."""
    head, features = head_of(net), features_of(net, windows)
    before, after = cross_validated(head, known, features, allowed, groups, temperature)
    told = (
        f"of {len(windows)} cells, the specimen of each set aside in turn, {before.sum()} are right before, "
        f"{after.sum()} after"
    )
    if chance_of(before, after) > BY_CHANCE:
        raise SystemExit(f"leukoscope: {told}: no more than chance would bring; name more, or keep the bundle you have")
    print(told)
    wear(net, refit(head, known, features, allowed, temperature))


def _named(net: ClassifierNet, windows: Sequence[Picture]) -> NDArray[np.int64]:
    with torch.inference_mode():
        parts = [net(as_batch(windows[start : start + BATCH])) for start in range(0, len(windows), BATCH)]
    named: NDArray[np.int64] = torch.cat(parts).argmax(dim=1).numpy()
    return named


if __name__ == "__main__":
    main()
