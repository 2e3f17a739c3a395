"""Packs pictures the way both networks take them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from scenes import Picture


def as_batch(pictures: Sequence[Picture]) -> torch.Tensor:
    """RGB uint8 pictures of one size as (batch, 3, height, width) in [0, 1]."""
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return stacked.to(torch.float32).div_(255.0).contiguous(memory_format=torch.channels_last)
