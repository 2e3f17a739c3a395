"""Training targets of the segmenting network and the three losses that compare it with them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from segmenter_grid import BOX_UNIT_PX, PLANES, STRIDE
from tables import KINDS
from tiles import Tile, labelled_places


class Targets(NamedTuple):
    """One batch. Grids are (batch, channels, rows, columns); the mask grids lie at one value per 2 pixels."""

    heat: Tensor
    heat_weight: Tensor
    box: Tensor
    box_weight: Tensor
    truth: Tensor
    known: Tensor

    def to(self, device: str) -> Targets:
        """The same on another device."""
        return Targets(*(part.to(device) for part in self))


def targets(tiles: list[Tile]) -> Targets:
    """The targets for square tiles of one size."""
    grids = [_heat_and_box(tile) for tile in tiles]
    weights = [labelled_places(tile) for tile in tiles]
    truth = np.stack([_planes(tile.truth) for tile in tiles])
    known = np.stack([_planes(tile.known) for tile in tiles])
    heat, box, box_weight = (np.stack(part) for part in zip(*grids, strict=True))
    return Targets(*(torch.from_numpy(part) for part in (heat, np.stack(weights), box, box_weight, truth, known)))


def losses(raw: tuple[Tensor, Tensor, Tensor], target: Targets) -> dict[str, Tensor]:
    """Focal loss of the heat per cell, GIoU (and some L1) of boxes, cross-entropy of known mask pixels."""
    heat, box, mask = (grid.float() for grid in raw)
    return {
        "heat": _focal(heat, target.heat, target.heat_weight),
        "box": _box_loss(box, target.box, target.box_weight),
        "mask": _mask_loss(torch.pixel_shuffle(mask, 2), target.truth, target.known),
    }


def _heat_and_box(tile: Tile) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    side = tile.picture.shape[0] // STRIDE
    heat = np.zeros((len(KINDS), side, side), dtype=np.float32)
    box = np.ones((4, side, side), dtype=np.float32)
    weight = np.zeros((1, side, side), dtype=np.float32)
    middles = (np.arange(side, dtype=np.float32) + 0.5) * STRIDE
    for corners, kind in zip(tile.boxes, tile.kinds, strict=True):
        x0, y0, x1, y1 = corners / STRIDE
        column, row = min(side - 1, int((x0 + x1) / 2)), min(side - 1, int((y0 + y1) / 2))
        wide, tall = (float(np.clip(0.11 * length, 0.55, 2.2)) for length in (x1 - x0, y1 - y0))
        reach = int(np.ceil(3 * max(wide, tall)))
        r0, r1 = max(0, row - reach), min(side, row + reach + 1)
        c0, c1 = max(0, column - reach), min(side, column + reach + 1)
        down = np.exp(-((np.arange(r0, r1) - row) ** 2) / (2 * tall**2))
        across = np.exp(-((np.arange(c0, c1) - column) ** 2) / (2 * wide**2))
        bump = np.outer(down, across).astype(np.float32)
        window = (slice(r0, r1), slice(c0, c1))
        np.maximum(heat[(kind, *window)], bump, out=heat[(kind, *window)])
        # A grid point learns the box of the cell whose centre it is nearest to, and only if it is near.
        mine = (bump > weight[(0, *window)]) & (bump > 0.25)
        weight[(0, *window)][mine] = bump[mine]
        sides = (
            middles[None, c0:c1] - corners[0],
            middles[r0:r1, None] - corners[1],
            corners[2] - middles[None, c0:c1],
            corners[3] - middles[r0:r1, None],
        )
        for channel, distance in enumerate(sides):
            grid = np.broadcast_to(distance / BOX_UNIT_PX, bump.shape)
            box[(channel, *window)][mine] = np.maximum(grid[mine], 0.0)
    return heat, box, weight


def _planes(bits: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.stack([((bits >> plane) & 1).astype(np.float32) for plane in range(len(PLANES))])


def _focal(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    probability = torch.sigmoid(logits)
    centre = (target == 1.0).float()
    hit = -functional.logsigmoid(logits) * (1 - probability) ** 2 * centre
    miss = -functional.logsigmoid(-logits) * probability**2 * (1 - target) ** 4 * (1 - centre)
    return ((hit + miss) * weight).sum() / centre.sum().clamp(min=4.0)


def _box_loss(box: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    reach = torch.relu(box)
    low = torch.minimum(reach, target)
    high = torch.maximum(reach, target)
    shared = (low[:, 0] + low[:, 2]) * (low[:, 1] + low[:, 3])
    hull = (high[:, 0] + high[:, 2]) * (high[:, 1] + high[:, 3])
    area = (reach[:, 0] + reach[:, 2]) * (reach[:, 1] + reach[:, 3])
    true_area = (target[:, 0] + target[:, 2]) * (target[:, 1] + target[:, 3])
    union = area + true_area - shared + 1e-6
    giou = shared / union - (hull - union) / (hull + 1e-6)
    # GIoU is blind below the clamp at zero; the L1 term is taken before it and pulls such outputs back.
    distance = (box - target).abs().mean(dim=1)
    loss = (1.0 - giou) + 0.3 * distance
    return (loss * weight[:, 0]).sum() / weight.sum().clamp(min=1.0)


def _mask_loss(logits: Tensor, truth: Tensor, known: Tensor) -> Tensor:
    loss = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none") * known
    return (loss.sum(dim=(0, 2, 3)) / known.sum(dim=(0, 2, 3)).clamp(min=1.0)).sum()
