"""A recurrent network reads the patches of each row, then the rows (Visin et al. 2015)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from methods.kinds import DeepMethod
from methods.learning import named_by

SIDE_PX, PATCH_PX, WIDTH = 64, 8, 96


class PatchRows(nn.Module):  # type: ignore[misc,unused-ignore]
    """A gated recurrent unit along each row of patches, another one along the rows."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.patch = nn.Sequential(
            nn.Conv2d(3, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, WIDTH, 4, 4), nn.ReLU()
        )
        self.along_row = nn.GRU(WIDTH, WIDTH, batch_first=True, bidirectional=True)
        self.along_rows = nn.GRU(2 * WIDTH, WIDTH, batch_first=True, bidirectional=True)
        self.name = nn.Linear(2 * WIDTH, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits, (cells, classes)."""
        patches = self.patch(pictures).permute(0, 2, 3, 1)
        cells, rows, cols, width = patches.shape
        _, ends = self.along_row(patches.reshape(cells * rows, cols, width))
        read = torch.cat([ends[0], ends[1]], dim=1).reshape(cells, rows, -1)
        _, ends = self.along_rows(read)
        logits: Tensor = self.name(torch.cat([ends[0], ends[1]], dim=1))
        return logits


METHOD = DeepMethod("RNN over rows of patches", "Visin et al. 2015", named_by(PatchRows, SIDE_PX))
