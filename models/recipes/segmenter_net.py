"""The segmenting network: where cells are (heat), how far they reach (box), which pixels are theirs (mask).

Input is RGB in [0, 1] at 0.25 µm per pixel, both sides multiples of 16. Outputs lie on a grid of one point
per 4 pixels:

* `heat`, 3 channels: logits that a cell of this kind (rbc, wbc, platelet) has its centre here;
* `box`, 4 channels, never negative: distance from the grid point's middle, pixel (4x + 2, 4y + 2), to the
  left, top, right and bottom side of the box, in units of 16 px;
* `mask`, 12 channels: logits of 3 planes (any cell, white cell, nucleus) at one value per 2 pixels.
  Plane-major: channel `plane * 4 + dy * 2 + dx` is the value at row `2y + dy`, column `2x + dx`, as in
  `torch.pixel_shuffle`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from plain_layers import Residual, conv
from segmenter_grid import PLANES


class _Merge(nn.Module):  # type: ignore[misc,unused-ignore]
    """Doubles the grid (nearest), narrows it and adds the finer features of the way down."""

    def __init__(self, deep: int, fine: int) -> None:
        super().__init__()
        # Narrowing before doubling is a quarter of the work for the same numbers: 1x1 commutes with nearest.
        self.narrow = conv(deep, fine, kernel=1)
        self.smooth = conv(fine, fine)

    def forward(self, deep: Tensor, fine: Tensor) -> Tensor:
        doubled = functional.interpolate(self.narrow(deep), scale_factor=2.0, mode="nearest")
        smoothed: Tensor = self.smooth(doubled + fine)
        return smoothed


class SegmenterNet(nn.Module):  # type: ignore[misc,unused-ignore]
    """About 1.2 GMAC for the deployed 256 x 336 tile; 0.86 million weights."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 64, kernel=8, stride=4)
        self.stride4 = conv(64, 64)
        self.stride8 = nn.Sequential(conv(64, 96, stride=2), Residual(96))
        self.stride16 = nn.Sequential(conv(96, 96, stride=2), Residual(96), Residual(96))
        self.merge8 = _Merge(96, 96)
        self.merge4 = _Merge(96, 64)
        self.head = conv(64, 64)
        self.heat_out = nn.Conv2d(64, 3, 1)
        self.box_out = nn.Conv2d(64, 4, 1)
        self.mask_out = nn.Conv2d(64, 4 * len(PLANES), 1)
        # Focal loss starts stably only when nearly everything is called background.
        nn.init.constant_(self.heat_out.bias, -3.5)  # type: ignore[arg-type,unused-ignore]
        nn.init.constant_(self.box_out.bias, 1.1)  # type: ignore[arg-type,unused-ignore]

    def raw(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Heat, box and mask for (batch, 3, height, width); the box may still be negative, for training."""
        fine4 = self.stride4(self.stem(image))
        fine8 = self.stride8(fine4)
        merged = self.merge4(self.merge8(self.stride16(fine8), fine8), fine4)
        shared = self.head(merged)
        return self.heat_out(shared), self.box_out(shared), self.mask_out(shared)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Heat, box and mask as deployed."""
        heat, box, mask = self.raw(image)
        return heat, torch.relu(box), mask
