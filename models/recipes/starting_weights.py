"""Weights to learn on from: a checkpoint, or the half-precision file that is kept beside the recipes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from classifier_net import ClassifierNet

CLASSES = "classes"


def start_from(net: ClassifierNet, path: Path, classes: Sequence[str]) -> int:
    """Fills a network; returns how many of its classes were known there. Rows of new classes stay at random."""
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
    """Writes a checkpoint's weights in half precision, with its classes."""
    halves = {
        key: value.half().numpy() if value.dtype.is_floating_point else value.numpy()
        for key, value in checkpoint["weights"].items()
    }
    np.savez_compressed(path, allow_pickle=False, **halves, **{CLASSES: np.array(checkpoint[CLASSES])})


def _read(path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    if path.suffix == ".npz":
        with np.load(path) as kept:
            weights = {key: torch.from_numpy(kept[key]) for key in kept.files if key != CLASSES}
            known = tuple(str(name) for name in kept[CLASSES])
        return {key: one.float() if one.dtype.is_floating_point else one for key, one in weights.items()}, known
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    return checkpoint["weights"], tuple(checkpoint[CLASSES])
