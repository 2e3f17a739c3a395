"""A small vision transformer (Dosovitskiy et al. 2021) with a convolutional stem."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from methods.kinds import DeepMethod
from methods.learning import named_by

SIDE_PX, WIDTH, LAYERS, HEADS = 64, 96, 3, 4


class Attention(nn.Module):  # type: ignore[misc,unused-ignore]
    """64 patches that look at each other."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 48, 3, 2, 1), nn.BatchNorm2d(48), nn.ReLU(), nn.Conv2d(48, WIDTH, 4, 4))
        self.place = nn.Parameter(torch.randn(1, 64, WIDTH) * 0.02)
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 2 * WIDTH, dropout=0.0, batch_first=True, norm_first=True)
        self.look = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self.name = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, classes))

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits, (cells, classes)."""
        patches = self.stem(pictures).flatten(2).transpose(1, 2) + self.place
        logits: Tensor = self.name(self.look(patches).mean(1))
        return logits


METHOD = DeepMethod(
    "attention, a small vision transformer", "Dosovitskiy et al. 2021", named_by(Attention, SIDE_PX, 1e-3)
)
