"""Packs pictures the way both networks take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from scenes import Picture


def as_batch(pictures: Sequence[Picture]) -> torch.Tensor:
    """RGB uint8 pictures of one size as (batch, 3, height, width) in [0, 1]."""
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return stacked.to(torch.float32).div_(255.0).contiguous(memory_format=torch.channels_last)


def in_batches(
    see: Callable[[torch.Tensor], torch.Tensor], pictures: Sequence[Picture], size: int = 64
) -> NDArray[np.float32]:
    """What a network computes of any number of pictures, (pictures, ...)."""
    with torch.inference_mode():
        parts = [see(as_batch(pictures[start : start + size])) for start in range(0, len(pictures), size)]
    return np.asarray(torch.cat(parts).numpy())
