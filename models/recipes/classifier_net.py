"""The classifying network: one cell in the middle of a picture in, one logit per class out.

Input is RGB in [0, 1], 112 x 112 pixels at 0.175 µm (19.6 µm); the order of the logits is `CLASSES`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

UM_PER_PX = 0.175
SIDE_PX = 112

CLASSES = (
    "segmented",
    "band",
    "metamyelocyte",
    "myelocyte",
    "promyelocyte",
    "blast",
    "promonocyte",
    "monocyte",
    "lymphocyte",
    "lymphocyte_variant",
    "plasma",
    "eosinophil",
    "basophil",
    "erythroblast",
    "platelet",
    "giant_thrombocyte",
    "thrombocyte_aggregation",
    "smudge",
    "artefact",
)

_COARSE = {
    "neutrophil": ("segmented", "band"),
    "neutrophil_unspecified": ("segmented", "band"),
    "immature_granulocyte_unspecified": ("promyelocyte", "myelocyte", "metamyelocyte"),
    "pronormoblast": ("erythroblast",),
    "basophilic_normoblast": ("erythroblast",),
    "polychromatic_normoblast": ("erythroblast",),
    "orthochromatic_normoblast": ("erythroblast",),
    # One picture of the one and two of the other: too few to learn, and neither is any class above.
    "macrophage": (),
    "prolymphocyte": (),
}


def classes_of(label: str) -> tuple[int, ...]:
    """Indices of the classes a label of the collection may mean; empty if it is left out."""
    return tuple(CLASSES.index(name) for name in _COARSE.get(label, (label,)))


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
    """About 0.21 GMAC per cell; 1.6 million weights."""

    def __init__(self, dropout: float = 0.25) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _conv(3, 32, kernel=5, stride=2),
            _conv(32, 64, stride=2),
            _Residual(64),
            _conv(64, 128, stride=2),
            _Residual(128),
            _conv(128, 224, stride=2),
            _Residual(224),
        )
        self.dropout = nn.Dropout(dropout)
        self.name = nn.Linear(224, len(CLASSES))

    def forward(self, image: Tensor) -> Tensor:
        """Logits (batch, classes) for (batch, 3, 112, 112)."""
        pooled = torch.mean(self.features(image), dim=(2, 3))
        logits: Tensor = self.name(self.dropout(pooled))
        return logits
