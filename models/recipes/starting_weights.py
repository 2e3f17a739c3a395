"""Weights to learn on from: a checkpoint, or the half-precision file that is kept beside the recipes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from classifier_net import ClassifierNet
from imagenet import start_from_imagenet

CLASSES = "classes"


def fill(net: nn.Module, path: Path) -> None:
    """Fills a network whose outputs are always the same, the segmenter's."""
    weights, _ = _read(path)
    net.load_state_dict(weights)


def start_from(net: ClassifierNet, path: Path | None, classes: Sequence[str]) -> int:
    """Fills a classifier; returns how many of its classes were known there. Rows of new classes stay at random.

    Without a path the features are those that ImageNet taught.
    """
    if path is None:
        start_from_imagenet(net)
        return 0
    weights, known = _read(path)
    rows = {name: index for index, name in enumerate(known)}
    shared = [(mine, rows[name]) for mine, name in enumerate(classes) if name in rows]
    theirs = dict(net.state_dict())
    for key, value in weights.items():
        if not key.startswith("name."):
            theirs[key] = value
            continue
        filled = theirs[key].clone()
        for mine, row in shared:
            filled[mine] = value[row]
        theirs[key] = filled
    net.load_state_dict(theirs)
    return len(shared)


def keep_half(checkpoint: dict[str, Any], path: Path) -> None:
    """Writes a checkpoint's weights in half precision, and its classes if it has any."""
    halves = {
        key: value.half().numpy() if value.dtype.is_floating_point else value.numpy()
        for key, value in checkpoint["weights"].items()
    }
    classes = {CLASSES: np.array(checkpoint[CLASSES])} if CLASSES in checkpoint else {}
    np.savez_compressed(path, allow_pickle=False, **halves, **classes)


def _read(path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    if path.suffix == ".npz":
        with np.load(path) as kept:
            weights = {key: torch.from_numpy(kept[key]) for key in kept.files if key != CLASSES}
            known = tuple(str(name) for name in kept[CLASSES]) if CLASSES in kept.files else ()
        return {key: one.float() if one.dtype.is_floating_point else one for key, one in weights.items()}, known
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    return checkpoint["weights"], tuple(checkpoint.get(CLASSES, ()))
