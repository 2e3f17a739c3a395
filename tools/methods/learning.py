"""How every network here learns: the same changes of the pictures, the same optimiser, a budget of processor time."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from methods.kinds import DeepNames, Matrix, Pictures, Words

BATCH = 32
SEED = 1


def prepared(pictures: Pictures, side_px: int) -> Tensor:
    """Pictures as (cells, 3, side, side), -1 to 1."""
    small = [cv2.resize(one, (side_px, side_px), interpolation=cv2.INTER_AREA) for one in pictures]
    return torch.from_numpy(np.stack(small).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)


def changed(batch: Tensor) -> Tensor:
    """Turned and mirrored by chance, and lit and coloured a little otherwise."""
    batch = torch.rot90(batch, int(torch.randint(4, ())), (2, 3))
    if torch.rand(()) < 0.5:
        batch = batch.flip(3)
    light = 1 + 0.2 * torch.randn(len(batch), 3, 1, 1)
    return (batch + 1) * light - 1 + 0.1 * torch.randn(len(batch), 1, 1, 1)


def run_for(seconds: float, step: Callable[[float], None]) -> None:
    """Call a step with the share of the time that is gone, 0-1, until it is over; at least twice."""
    start, steps = time.process_time(), 0
    while (gone := (time.process_time() - start) / seconds) < 1 or steps < 2:
        step(min(1.0, gone))
        steps += 1


def learn_names(
    net: nn.Module, inputs: Tensor, labels: Words, seconds: float, most_lr: float = 2e-3
) -> tuple[nn.Module, Words]:
    """Fit a network's logits to labels, rare ones drawn more often; gives it back with its classes in order."""
    torch.set_num_threads(1)
    classes, targets = np.unique(labels, return_inverse=True)
    truth = torch.from_numpy(targets)
    often = 1 / np.sqrt(np.bincount(targets))
    weights = torch.from_numpy(often[targets])
    optimiser = torch.optim.AdamW(net.parameters(), lr=most_lr, weight_decay=1e-2)

    def step(gone: float) -> None:
        for group in optimiser.param_groups:
            group["lr"] = most_lr * min(1.0, gone / 0.1 + 0.05) * (1 - gone) + 1e-6
        drawn = torch.multinomial(weights, BATCH, replacement=True)
        loss = functional.cross_entropy(net(changed(inputs[drawn])), truth[drawn], label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    net.train()
    run_for(seconds, step)
    net.eval()
    return net, classes


def answers(net: Callable[[Tensor], Tensor], pictures: Pictures, side_px: int, batch: int = 64) -> Matrix:
    """What a network says about pictures, one row each."""
    with torch.no_grad():
        rows = [
            net(prepared(pictures[start : start + batch], side_px)).flatten(1).numpy()
            for start in range(0, len(pictures), batch)
        ]
    return np.asarray(np.concatenate(rows), dtype=np.float32)


def kb_of(net: nn.Module) -> float:
    """1,000 bytes of a network's weights in float32."""
    return float(sum(one.numel() for one in net.parameters())) * 4 / 1000


def named_by(
    make: Callable[[int], nn.Module], side_px: int, most_lr: float = 2e-3
) -> Callable[[Pictures, Words, float], DeepNames]:
    """The whole of a method that is a network from scratch: `make` gives one for a number of classes."""

    def fit(pictures: Pictures, labels: Words, seconds: float) -> DeepNames:
        torch.manual_seed(SEED)
        fresh = make(len(np.unique(labels)))
        net, classes = learn_names(fresh, prepared(pictures, side_px), labels, seconds, most_lr)
        return DeepNames(lambda some: classes[answers(net, some, side_px).argmax(axis=1)], kb_of(net))

    return fit


def copied(net: nn.Module) -> bytes:
    """A network's weights as a file."""
    packed = io.BytesIO()
    torch.save(net.state_dict(), packed)
    return packed.getvalue()
