"""The classifying network: one cell in the middle of a picture in, one logit per class out.

Input is RGB in [0, 1], 128 x 128 pixels at 0.15 µm (19.2 µm): the scale at which the collection stores its cells.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

UM_PER_PX = 0.15
SIDE_PX = 128
FIRST_STAGES = 6
"""Of the features: what `train_last_stage` keeps as it is. They give 128 maps of 16 x 16."""


def _conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class _Residual(nn.Module):  # type: ignore[misc,unused-ignore]
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.second(self.first(x)))


class ClassifierNet(nn.Module):  # type: ignore[misc,unused-ignore]
    """About 0.31 GMAC per cell; 1.4 million weights."""

    def __init__(self, classes: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _conv(3, 32, kernel=5, stride=2),
            _conv(32, 64, stride=2),
            _Residual(64),
            _conv(64, 128, stride=2),
            _Residual(128),
            _Residual(128),
            _conv(128, 160, stride=2),
            _Residual(160),
        )
        self.dropout = nn.Dropout(dropout)
        self.name = nn.Linear(160, classes)

    def pooled(self, image: Tensor) -> Tensor:
        """What the last layer is given, (batch, 160), for (batch, 3, 128, 128)."""
        return torch.mean(self.features(image), dim=(2, 3))

    def forward(self, image: Tensor) -> Tensor:
        """Logits (batch, classes) for (batch, 3, 128, 128)."""
        logits: Tensor = self.name(self.dropout(self.pooled(image)))
        return logits


class Seeing(nn.Module):  # type: ignore[misc,unused-ignore]
    """The network without its last layer, which travels apart from it (`leukoscope.inference.head`)."""

    def __init__(self, net: ClassifierNet) -> None:
        super().__init__()
        self.features = net.features

    def forward(self, image: Tensor) -> Tensor:
        """Features (batch, 160) for (batch, 3, 128, 128)."""
        return torch.mean(self.features(image), dim=(2, 3))
