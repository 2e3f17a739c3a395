"""The classifying network: one cell in the middle of a picture in, one logit per class out.

Input is RGB in [0, 1], 128 x 128 pixels at 0.15 µm (19.2 µm): the scale at which the collection stores its cells.
The features are the first twelve blocks of EfficientNet-Lite0 (Tan & Le 2019; Liu 2020): what ImageNet taught them
carries over to laboratories that no training saw, and no squeeze, excite or swish stands in the way of int8.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

STEM = 32
BLOCKS = (
    # channels out, kernel, stride, how many times as many channels inside
    (16, 3, 1, 1),
    (24, 3, 2, 6),
    (24, 3, 1, 6),
    (40, 5, 2, 6),
    (40, 5, 1, 6),
    (80, 3, 2, 6),
    (80, 3, 1, 6),
    (80, 3, 1, 6),
    (112, 5, 1, 6),
    (112, 5, 1, 6),
    (112, 5, 1, 6),
    (192, 5, 2, 6),
)
FEATURES = BLOCKS[-1][0]
FIRST_STAGES = 4
"""Of the features: what `train_on_views` and `--keep-first` keep as they are. They give 24 maps of 32 x 32."""
BATCH_NORM = {"momentum": 0.01, "eps": 1e-3}


def _conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, **BATCH_NORM),
    ]


class _Block(nn.Module):  # type: ignore[misc,unused-ignore]
    """An inverted bottleneck (Sandler et al. 2018)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inside = inputs * expansion
        expand = [*_conv(inputs, inside), nn.ReLU6(inplace=True)] if expansion > 1 else []
        self.layers = nn.Sequential(
            *expand,
            *_conv(inside, inside, kernel, stride, groups=inside),
            nn.ReLU6(inplace=True),
            *_conv(inside, outputs),
        )
        self.kept = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.layers(x)
        return x + made if self.kept else made


class ClassifierNet(nn.Module):  # type: ignore[misc,unused-ignore]
    """About 0.09 GMAC per cell; 0.9 million weights."""

    def __init__(self, classes: int, dropout: float = 0.2) -> None:
        super().__init__()
        inputs = (STEM, *(outputs for outputs, *_ in BLOCKS))
        self.features = nn.Sequential(
            nn.Sequential(*_conv(3, STEM, kernel=3, stride=2), nn.ReLU6(inplace=True)),
            *(_Block(into, *block) for into, block in zip(inputs, BLOCKS, strict=False)),
        )
        self.dropout = nn.Dropout(dropout)
        self.name = nn.Linear(FEATURES, classes)

    def pooled(self, image: Tensor) -> Tensor:
        """What the last layer is given, (batch, 192), for (batch, 3, 128, 128)."""
        return torch.mean(self.features(image), dim=(2, 3))

    def forward(self, image: Tensor) -> Tensor:
        """Logits (batch, classes) for (batch, 3, 128, 128)."""
        logits: Tensor = self.name(self.dropout(self.pooled(image)))
        return logits

    def name_seen(self, seen: Tensor) -> Tensor:
        """Logits (batch, classes) from what the first stages gave, (batch, 24, 32, 32)."""
        logits: Tensor = self.name(self.dropout(torch.mean(self.features[FIRST_STAGES:](seen), dim=(2, 3))))
        return logits


class Seeing(nn.Module):  # type: ignore[misc,unused-ignore]
    """The network without its last layer, which travels apart from it (`leukoscope.inference.head`)."""

    def __init__(self, net: ClassifierNet) -> None:
        super().__init__()
        self.features = net.features

    def forward(self, image: Tensor) -> Tensor:
        """Features (batch, 192) for (batch, 3, 128, 128)."""
        return torch.mean(self.features(image), dim=(2, 3))
