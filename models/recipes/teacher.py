"""The classifying network of 2.1.0 to 2.7.0, which saw 3.6 million views: it teaches the one that follows it.

A teacher says how much a cell looks like each class (Hinton et al. 2015), which a label cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from plain_layers import Residual, conv

SHARE = 0.5
"""Of the loss that is the teacher's; the rest is the labels'."""


class Teacher(nn.Module):  # type: ignore[misc,unused-ignore]
    """About 0.31 GMAC per cell; 1.4 million weights. RGB in [0, 1], (batch, 3, 128, 128)."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            conv(3, 32, kernel=5, stride=2),
            conv(32, 64, stride=2),
            Residual(64),
            conv(64, 128, stride=2),
            Residual(128),
            Residual(128),
            conv(128, 160, stride=2),
            Residual(160),
        )
        self.name = nn.Linear(160, classes)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (batch, classes)."""
        logits: Tensor = self.name(torch.mean(self.features(image), dim=(2, 3)))
        return logits


def read_teacher(path: Path, classes: Sequence[str]) -> Teacher:
    """The network whose weights were kept in half precision.

    Raises:
        ValueError: it names other classes.
    """
    with np.load(path) as kept:
        known = [str(name) for name in kept["classes"]]
        weights = {name: torch.from_numpy(kept[name]) for name in kept.files if name != "classes"}
    if known != list(classes):
        raise ValueError(f"expected a teacher of the classes {list(classes)} in {path}, found {known}")
    net = Teacher(len(known))
    net.load_state_dict({name: one.float() if one.dtype.is_floating_point else one for name, one in weights.items()})
    net.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return net


def taught(logits: Tensor, taught_by: Tensor) -> Tensor:
    """Cross-entropy of a network's answer with its teacher's; logits (batch, classes) of both."""
    return -(torch.softmax(taught_by, dim=1) * functional.log_softmax(logits, dim=1)).sum(dim=1).mean()
